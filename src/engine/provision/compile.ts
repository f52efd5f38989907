import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../core/errors.ts";
import { bindingName } from "./locate.ts";
import type { EngineFile } from "./manifest.ts";
import { runTool, ToolError } from "./run-tool.ts";

export interface CompileOptions {
  readonly compiler: string;
  /** Folder of the binding's C++ source. */
  readonly source: string;
  /** Holds `lib` and `include`, gets the binding. */
  readonly folder: string;
  /** Where the folder will be at last. */
  readonly home: string;
  readonly signal?: AbortSignal | undefined;
}

const quietName = "libquiet.so";

/** Returns and copies are guarded, and addresses of functions cannot be written over: Linux's linkers know it so. */
const hardened = [
  ...["-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"],
  ...(process.platform === "darwin" ? [] : ["-Wl,-z,relro,-z,now"]),
];

/** Kernels of our own; a build of TensorFlow without them takes its own, and composes of them what it lacks. */
const kernelsName = process.platform === "darwin" ? "libquantizer.dylib" : "libquantizer.so";
/** Beside the sources in a clone and in a package, whichever of src and dist this runs from. */
const kernelsSource = fileURLToPath(new URL("../../../src/engine/native/kernels.cc", import.meta.url));

/**
 * TensorFlow writes a banner to standard error while its library starts, before it reads its own log level. This
 * library starts first and makes TF_CPP_MIN_LOG_LEVEL hold from the first message on. The symbol is Abseil's, inside
 * TensorFlow's library; where it is missing, the banner stays and nothing else changes.
 */
const quietSource = `#include <cstdlib>
namespace absl { inline namespace lts_20250814 {
enum class LogSeverityAtLeast : int;
[[gnu::weak]] void SetMinLogLevel(LogSeverityAtLeast);
} }
[[gnu::constructor]] static void quiet() {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level && absl::SetMinLogLevel) absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(std::atoi(level)));
}
`;

/**
 * Compiles the N-API binding against the libraries of the wheel (9 s). It finds them beside itself; the absolute path
 * is for a copy of it elsewhere.
 *
 * @returns the files made, for the manifest.
 * @throws UserError with the compiler's first complaint.
 */
export async function compileBinding({
  compiler,
  source,
  folder,
  home,
  signal,
}: CompileOptions): Promise<EngineFile[]> {
  const nodeHeaders = join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include");
  const isMac = process.platform === "darwin";
  const units = readdirSync(source)
    .filter((name) => name.endsWith(".cc"))
    .map((name) => join(source, name));
  const libraries = readdirSync(join(folder, "lib")).map((name) => join(folder, "lib", name));
  const shared = ["-O2", "-std=c++17", "-shared", "-fPIC", "-w", ...hardened];
  const definitions = ["-DNAPI_VERSION=8", "-DBUILDING_NODE_EXTENSION"];
  const includes = [nodeHeaders, join(folder, "include"), source].flatMap((path) => ["-I", path]);
  const rpaths = [isMac ? "@loader_path/lib" : "$ORIGIN/lib", join(home, "lib")].map((path) => `-Wl,-rpath,${path}`);
  const made = [bindingName];
  const run = (args: readonly string[]) => compile(compiler, args, folder, signal);
  const kernels = join(folder, "lib", kernelsName);
  // No reordering of sums: the same gradients on every machine with the same vector units.
  const fast = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-pthread"];
  const soname = isMac ? `-Wl,-install_name,@rpath/${kernelsName}` : `-Wl,-soname,${kernelsName}`;
  await run([...shared, ...fast, ...includes, kernelsSource, ...libraries, soname, ...rpaths, "-o", kernels]);
  made.push(`lib/${kernelsName}`);
  let extra = ["-undefined", "dynamic_lookup", kernels];
  if (!isMac) {
    const quiet = join(folder, "lib", quietName);
    writeFileSync(join(folder, "quiet.cc"), quietSource);
    await run([...shared, "quiet.cc", "-Wl,-z,initfirst", `-Wl,-soname,${quietName}`, "-o", quiet]);
    rmSync(join(folder, "quiet.cc"));
    extra = ["-Wl,--no-as-needed", quiet, kernels];
    made.push(`lib/${quietName}`);
  }
  await run([...shared, ...definitions, ...includes, ...units, ...libraries, ...extra, ...rpaths, "-o", bindingName]);
  return made.map((path) => describe(folder, path));
}

async function compile(compiler: string, args: readonly string[], cwd: string, signal?: AbortSignal): Promise<void> {
  try {
    await runTool(compiler, args, { cwd, timeoutMinutes: 15, signal });
  } catch (error) {
    const lines = error instanceof ToolError ? error.output.split("\n") : [];
    const complaint = lines.find((line) => /error|cannot find/i.test(line)) ?? String(error);
    throw new UserError(
      `${compiler} could not compile the binding: ${complaint.trim()}; a current g++ (9 or newer) or clang++ is needed`,
      { cause: error },
    );
  }
}

function describe(folder: string, path: string): EngineFile {
  const content = readFileSync(join(folder, path));
  return { path, bytes: content.byteLength, sha256: createHash("sha256").update(content).digest("hex") };
}
