import { rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import type { Reporter } from "../../core/progress.ts";
import { findCompiler, findPython } from "./build-tools.ts";
import { compileBinding } from "./compile.ts";
import { downloadWheel } from "./download.ts";
import { extractZip, placeInEngine } from "./extract.ts";
import { bindingName, type EngineSources, engineFolder } from "./locate.ts";
import { stateOf, writeManifest } from "./manifest.ts";
import { makeFolder } from "./part-folder.ts";
import type { Probe } from "./probe.ts";
import { platform, type Wheel } from "./wheels.ts";

export interface BuildOptions {
  readonly reporter: Reporter;
  /** Tries a binding that was just made. */
  readonly probe: Probe;
  /** Stops downloads and compilers. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads, checks, unpacks, compiles and tries the engine beside its folder in the cache, which then appears whole.
 *
 * @throws UserError with the cause and its remedy; nothing half-made is left.
 */
export async function buildFromWheel(sources: EngineSources, options: BuildOptions): Promise<void> {
  const [wheel] = sources.wheels;
  if (wheel === undefined) {
    throw new UserError(`no TensorFlow wheel is known for ${platform}: use Linux on x64 or ARM, or macOS on ARM`);
  }
  if (isMusl()) {
    throw new UserError("TensorFlow's wheels need glibc, and this system has musl: use Debian, Ubuntu or Fedora");
  }
  if (sources.package === null) throw new UserError("@tensorflow/tfjs-node-gpu is not installed: run npm ci");
  const source = join(sources.package, "binding");
  const tools = { compiler: findCompiler(), python: findPython() };
  const home = engineFolder(wheel);
  const isWhole = (folder: string) => stateOf(folder, { whole: true }).kind === "whole";
  await makeFolder(home, isWhole, (part) => fill(part, { wheel, source, home, ...tools, ...options }));
}

interface Filling extends BuildOptions {
  readonly wheel: Wheel;
  readonly source: string;
  readonly home: string;
  readonly compiler: string;
  readonly python: string;
}

async function fill(folder: string, options: Filling): Promise<void> {
  const { wheel, source, home, compiler, python, reporter, probe, signal } = options;
  const downloads = join(folder, "download");
  const archive = await downloadWheel(wheel, { python, folder: downloads, reporter, signal });
  reporter.info("unpacking TensorFlow's libraries");
  const extracted = await extractZip(archive, folder, placeInEngine);
  rmSync(downloads, { recursive: true });
  reporter.info("compiling the binding");
  const compiled = await compileBinding({ compiler, source, folder, home, signal });
  await probe(join(folder, bindingName), signal);
  writeManifest(folder, wheel, [...extracted.filter(({ path }) => path.startsWith("lib/")), ...compiled]);
}

/** Alpine and its like: Node's own build tells. */
function isMusl(): boolean {
  if (process.platform !== "linux") return false;
  // Node types the report as any object.
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}
