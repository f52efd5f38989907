import { rmSync } from "node:fs";
import { join } from "node:path";
import { exitCodes, messageOf, UserError } from "../../base/errors.ts";
import type { Reporter } from "../../base/progress.ts";
import { compileBinding } from "./compile.ts";
import { downloadWheel } from "./download.ts";
import { extractZip, placeInEngine } from "./extract.ts";
import {
  askedEngine,
  bindingName,
  type EngineLocation,
  type EngineSources,
  engineFolder,
  engineSources,
  findNative,
  isOtherThanAsked,
  locateEngine,
} from "./locate.ts";
import { isComplete, writeManifest } from "./manifest.ts";
import { installFromPackage, linkIntoPackage } from "./package-binding.ts";
import { makeFolder } from "./part-folder.ts";
import { probeBinding } from "./probe.ts";
import { findCompiler, findPython } from "./tools.ts";
import { platform, type Wheel } from "./wheels.ts";

export interface ProvisionOptions {
  readonly reporter: Reporter;
  /** Stops downloads and compilers. */
  readonly signal?: AbortSignal;
  readonly sources?: EngineSources;
}

/**
 * Makes sure of an engine, best first: the native one that is there, a build from TensorFlow's wheel, the download of
 * the npm package itself, WebAssembly. Each step down is one warning that names the remedy.
 *
 * @throws UserError when BAYESIAN_BITS_ENGINE is native and no native engine can be had, or when stopped by `signal`.
 */
export async function provisionEngine({
  reporter,
  signal,
  sources = engineSources(),
}: ProvisionOptions): Promise<EngineLocation> {
  const asked = askedEngine();
  const found = findNative(sources);
  if (asked !== "wasm" && (found === null || isOtherThanAsked(found))) {
    const failure = await obtain(sources, reporter, signal);
    if (asked === "native" && failure !== null) {
      throw new UserError(`BAYESIAN_BITS_ENGINE=native, but no native engine can be set up: ${failure}`);
    }
  }
  const location = locateEngine(sources);
  if (location.kind === "native" && sources.package !== null) {
    try {
      linkIntoPackage(location.binding, sources.package);
    } catch (error) {
      reporter.info(
        `@tensorflow/tfjs-node-gpu itself will not find the engine, which only other programs would need: ${messageOf(error)}`,
      );
    }
  }
  return location;
}

/** Gives null, or why the best way failed. */
async function obtain(sources: EngineSources, reporter: Reporter, signal?: AbortSignal): Promise<string | null> {
  try {
    await buildFromWheel(sources, reporter, signal);
    return null;
  } catch (error) {
    refuseToGoOn(signal);
    const cause = messageOf(error);
    reporter.warn(`the native engine was not built: ${cause}. Next: the download of @tensorflow/tfjs-node-gpu itself`);
    try {
      if (sources.package === null) throw new UserError("the package is not installed: run npm ci");
      await installFromPackage(sources.package, sources.wheels[0]?.device ?? "cpu", signal);
    } catch (second) {
      refuseToGoOn(signal);
      reporter.warn(
        `the download of @tensorflow/tfjs-node-gpu failed: ${messageOf(second)}. Training uses WebAssembly, some 20 times slower: remedy the first cause, then run npm run setup (BAYESIAN_BITS_ENGINE=wasm keeps WebAssembly and asks no more)`,
      );
    }
    return cause;
  }
}

/** Who stops a set-up wants no other way tried. */
function refuseToGoOn(signal?: AbortSignal): void {
  if (!signal?.aborted) return;
  const exitCode = signal.reason === "SIGTERM" ? exitCodes.terminated : exitCodes.interrupted;
  throw new UserError("the set-up was stopped; what it had begun is removed: run npm run setup to do it again", {
    exitCode,
  });
}

/** Downloads, checks, unpacks, compiles and tries the engine beside its folder, which then appears whole. */
async function buildFromWheel(sources: EngineSources, reporter: Reporter, signal?: AbortSignal): Promise<void> {
  const [wheel] = sources.wheels;
  if (wheel === undefined) throw new UserError(`no TensorFlow wheel is known for ${platform}`);
  if (isMusl())
    throw new UserError(
      "TensorFlow's wheels need glibc, and this system has musl: use a Debian, Ubuntu or Fedora image",
    );
  if (sources.package === null)
    throw new UserError("the package @tensorflow/tfjs-node-gpu is not installed: run npm ci");
  const source = join(sources.package, "binding");
  const tools = { compiler: findCompiler(), python: findPython() };
  const home = engineFolder(wheel);
  await makeFolder(home, isComplete, (part) => fill(part, { wheel, source, home, reporter, signal, ...tools }));
}

interface Filling {
  readonly wheel: Wheel;
  readonly source: string;
  readonly home: string;
  readonly compiler: string;
  readonly python: string;
  readonly reporter: Reporter;
  readonly signal: AbortSignal | undefined;
}

async function fill(
  folder: string,
  { wheel, source, home, compiler, python, reporter, signal }: Filling,
): Promise<void> {
  const downloads = join(folder, "download");
  const archive = await downloadWheel(wheel, { python, folder: downloads, reporter, signal });
  reporter.info("unpacking TensorFlow's libraries");
  const extracted = await extractZip(archive, folder, placeInEngine);
  rmSync(downloads, { recursive: true });
  reporter.info("compiling the binding");
  const compiled = await compileBinding({ compiler, source, folder, home, signal });
  await probeBinding(join(folder, bindingName), signal);
  writeManifest(folder, wheel, [...extracted.filter(({ path }) => path.startsWith("lib/")), ...compiled]);
}

/** Alpine and its like: Node's own build tells. */
function isMusl(): boolean {
  if (process.platform !== "linux") return false;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}
