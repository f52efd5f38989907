import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { findCompiler } from "../../../src/engine/provision/build-tools.ts";
import { cudaStates } from "../../../src/engine/provision/cuda.ts";
import { cudaFolder, cudaWheelsFor } from "../../../src/engine/provision/cuda-wheels.ts";
import { findNative } from "../../../src/engine/provision/locate.ts";
import { wheelsFor } from "../../../src/engine/provision/wheels.ts";
import { setEnvironment } from "../../fixtures/fake-machine.ts";

const wheels = cudaWheelsFor("linux-x64");

/** Requires-Dist of the pinned TensorFlow wheel under `extra == "and-cuda"`: at least the first, below the second. */
const admitted: Readonly<Record<string, readonly [string, string]>> = {
  "nvidia-cublas-cu12": ["12.5.3.2", "13"],
  "nvidia-cuda-cupti-cu12": ["12.5.82", "13"],
  "nvidia-cuda-nvcc-cu12": ["12.5.82", "13"],
  "nvidia-cuda-nvrtc-cu12": ["12.5.82", "13"],
  "nvidia-cuda-runtime-cu12": ["12.5.82", "13"],
  "nvidia-cudnn-cu12": ["9.3.0.75", "10"],
  "nvidia-cufft-cu12": ["11.2.3.61", "12"],
  "nvidia-curand-cu12": ["10.3.6.82", "11"],
  "nvidia-cusolver-cu12": ["11.6.3.83", "12"],
  "nvidia-cusparse-cu12": ["12.5.1.3", "13"],
  "nvidia-nccl-cu12": ["2.27.7", "3"],
  "nvidia-nvjitlink-cu12": ["12.5.82", "13"],
};

const compare = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });

t.test("the wheels are those of TensorFlow's extra, each in the range that it admits", async (t) => {
  t.strictSame(wheels.map(({ project }) => project).sort(), Object.keys(admitted));
  for (const { project, version } of wheels) {
    const [least, below] = admitted[project]!;
    t.ok(compare(version, least) >= 0 && compare(version, below) < 0, `${project} ${version}`);
  }
  t.equal(wheelsFor("gpu", "linux-x64")[0]!.version, "2.21.0", "another TensorFlow has other ranges");
  t.strictSame(cudaWheelsFor("linux-arm64"), [], "TensorFlow has no kernels for a GPU there");
});

t.test("each names one file, a whole hash and a folder of its own", async (t) => {
  for (const { project, version, file, platformTag, sha256 } of wheels) {
    t.ok(
      file.startsWith(`${project.replaceAll("-", "_")}-${version}-py3-none-`) && file.endsWith(`${platformTag}.whl`),
    );
    t.match(sha256, /^[0-9a-f]{64}$/);
  }
  for (const of of ["sha256", "folder"] as const)
    t.equal(new Set(wheels.map((wheel) => wheel[of])).size, wheels.length);
});

/** Folders on the search path of libtensorflow_framework 2.21.0, which opens the libraries: `$ORIGIN/../../nvidia/…/lib`. */
const searched = ["nccl", "cuda_cupti", "cublas", "cudnn", "cufft", "cusparse", "cuda_runtime", "nvshmem"];

const compiler = compilerHere();
const compilerMissing = (process.platform !== "linux" && "Linux's loader") || (compiler === null && "no compiler");

function compilerHere(): string | null {
  try {
    return findCompiler();
  } catch {
    return null;
  }
}

/** Makes a shared library of C source. */
function compile(path: string, source: string, ...more: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.c`, source);
  execFileSync(compiler!, ["-xc++", "-shared", "-fPIC", `${path}.c`, "-o", path, ...more]);
}

/** The source of a library that does this while it is loaded. */
const whileLoading = (body: string): string =>
  `#include <dlfcn.h>\n#include <unistd.h>\n[[gnu::constructor]] static void start() { ${body} }\n`;

/** Whether a process that loads the library ends well: what its constructor says. */
const loadsWell = (path: string): boolean =>
  spawnSync(process.execPath, ["-e", "process.dlopen({ exports: {} }, process.argv[1])", path]).status === 0;

t.test("the loader finds what TensorFlow opens, and what cuDNN does", { skip: compilerMissing }, async (t) => {
  const cache = t.testdir();
  setEnvironment(t, { XDG_CACHE_HOME: cache, LD_LIBRARY_PATH: "" });
  /** A library that opens others while it is loaded: on its own search path, as those that stand for it do. */
  const opener = (path: string, searched: readonly string[], opened: readonly string[]) => {
    const opening = opened.map((name) => `found &= dlopen("${name}", RTLD_NOW) != nullptr;`).join(" ");
    const source = `bool found = true; ${opening} _exit(found ? 0 : 1);`;
    compile(
      path,
      whileLoading(source),
      `-Wl,-rpath,${searched.map((folder) => `$ORIGIN/../../${folder}/lib`).join(":")}`,
    );
    return path;
  };
  const names = wheels.flatMap(({ opens }) => opens);
  const framework = opener(
    join(dirname(cudaFolder()), "tensorflow", "lib", "libframework.so"),
    searched.map((folder) => `nvidia/${folder}`),
    names,
  );
  const byProject = (wanted: string) => wheels.find(({ project }) => project === wanted);
  const nvrtc = "libnvrtc.so.12";
  const cudnn = cudaFolder(byProject("nvidia-cudnn-cu12"));
  const engines = opener(join(cudnn, "lib", "libcudnn_engines.so"), ["nvrtc"], [nvrtc]);
  for (const path of [framework, engines]) t.notOk(loadsWell(path), "before they are there");
  const empty = join(cache, "empty.so");
  compile(empty, "");
  const place = (folder: string, name: string) => {
    mkdirSync(join(folder, "lib"), { recursive: true });
    copyFileSync(empty, join(folder, "lib", name));
  };
  for (const wheel of wheels) for (const name of wheel.opens) place(cudaFolder(wheel), name);
  place(cudaFolder(byProject("nvidia-cuda-nvrtc-cu12")), nvrtc);
  for (const path of [framework, engines]) t.ok(loadsWell(path), path);
});

const engine = findNative({ wheels: wheelsFor("gpu"), package: null, cuda: wheels }).engine;
const isSetUp = engine?.wheel?.device === "gpu" && cudaStates(wheels).every(({ state }) => state.kind === "whole");
const notSetUp = !isSetUp && "not run here: BAYESIAN_BITS_DEVICE=gpu npm run setup has not fetched 3.3 GB";

t.test("TensorFlow's own look for them finds all, with those that were fetched", { skip: notSetUp }, async (t) => {
  const library = join(t.testdir(), "look.so");
  const framework = join(dirname(engine!.binding), "lib", "libtensorflow_framework.so.2");
  // absl::Status is given back through a pointer, and 1 where all is well.
  const source = `
    void* library = dlopen("${framework}", RTLD_NOW);
    auto look = reinterpret_cast<void* (*)(void*)>(dlsym(library, "_ZN3tsl8internal9DsoLoader22TryDlopenCUDALibrariesEv"));
    long status = 0;
    look(&status);
    _exit(status == 1 ? 0 : 1);`;
  compile(library, whileLoading(source));
  t.ok(loadsWell(library));
});
