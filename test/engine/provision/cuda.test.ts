import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { exitCodes } from "../../../src/core/errors.ts";
import { cudaStates, placeInCuda } from "../../../src/engine/provision/cuda.ts";
import { type CudaWheel, cudaFolder, cudaWheelsFor } from "../../../src/engine/provision/cuda-wheels.ts";
import { gpuProblems, type thisMachine } from "../../../src/engine/provision/gpu-libraries.ts";
import { provisionEngine } from "../../../src/engine/provision/provision.ts";
import { type FakeMachine, fakeMachine, goodTools, setEnvironment } from "../../fixtures/fake-machine.ts";
import { zip } from "../../fixtures/zip.ts";

if (process.platform !== "linux") {
  t.comment("the stand-ins for pip and g++ are scripts for Linux");
  process.exit(0);
}

/** pip that brings the file of $WHEELS whose name begins with the project's. */
const pip = `[ "$3" = download ] || exit 0
while [ "$1" != -d ]; do shift; done
name=$(echo "\${3%%==*}" | /usr/bin/tr - _)
/bin/cp "$WHEELS/$name"-* "$2"`;

interface GpuMachine extends FakeMachine {
  readonly cuda: readonly CudaWheel[];
  /** Projects that pip was asked for. */
  asked(): string[];
}

/** A machine whose index has TensorFlow for GPUs and two wheels of NVIDIA's. */
function gpuMachine(t: Test, python3 = pip): GpuMachine {
  const folder = t.testdir();
  const machine = fakeMachine(folder, { ...goodTools, python3 });
  const wheel = { ...machine.wheel, project: "tensorflow_cpu", device: "gpu" as const };
  const cuda = cudaWheelsFor("linux-x64")
    .slice(0, 2)
    .map((one) => {
      const entries = one.opens.map((name) => [`nvidia/${one.folder}/lib/${name}`, `library ${name}`]);
      const archive = zip({
        ...Object.fromEntries(entries),
        [`nvidia/${one.folder}/include/some.h`]: "",
        [`${one.project}.dist-info/licenses/License.txt`]: "NVIDIA's",
      });
      writeFileSync(join(folder, one.file), archive);
      const sha256 = createHash("sha256").update(archive).digest("hex");
      return { ...one, sha256, bytes: archive.length, unpackedBytes: 100 };
    });
  return {
    ...machine,
    cuda,
    sources: { ...machine.sources, wheels: [wheel], cuda },
    environment: { ...machine.environment, WHEELS: folder, BAYESIAN_BITS_DEVICE: "gpu", BAYESIAN_BITS_ENGINE: "" },
    asked: () => machine.calls().flatMap((call) => /(\S+)==\S+$/.exec(call)?.[1] ?? []),
  };
}

/** Sets the machine up, on whose system no CUDA is installed unless it is said. */
function provision(
  t: Test,
  machine: GpuMachine,
  { hasCuda = false, cuda = machine.cuda, signal = new AbortController().signal } = {},
) {
  setEnvironment(t, machine.environment);
  const { reporter, sources } = machine;
  const probe = async () => {};
  return provisionEngine({ reporter, sources: { ...sources, cuda }, probe, hasCuda: () => hasCuda, signal });
}

const kinds = (cuda: readonly CudaWheel[]) => cudaStates(cuda, { whole: true }).map(({ state }) => state.kind);

t.test("an engine for GPUs gets NVIDIA's libraries and their licence, and nothing else, once", async (t) => {
  const machine = gpuMachine(t);
  t.equal((await provision(t, machine)).kind, "native");
  t.strictSame(machine.warnings, []);
  t.strictSame(kinds(machine.cuda), ["whole", "whole"]);
  t.strictSame(machine.engines().length, 2, "the engine, and NVIDIA's beside it");
  t.strictSame(readdirSync(cudaFolder()).sort(), ["cublas", "cuda_runtime"]);
  t.strictSame(readdirSync(join(cudaFolder(), "cublas")).sort(), ["License.txt", "lib", "manifest.json"]);
  t.equal(readFileSync(join(cudaFolder(), "cublas", "lib", "libcublas.so.12"), "utf8"), "library libcublas.so.12");
  const asked = ["tensorflow_cpu", "nvidia-cuda-runtime-cu12", "nvidia-cublas-cu12"];
  t.strictSame(machine.asked(), asked);
  await provision(t, machine);
  t.strictSame(machine.asked(), asked, "the second set-up fetches nothing");
});

t.test("nothing is fetched where the system has them, for a processor, and for WebAssembly", async (t) => {
  const machine = gpuMachine(t);
  await provision(t, machine, { hasCuda: true });
  t.strictSame(machine.asked(), ["tensorflow_cpu"]);
  const asking = (environment: Readonly<Record<string, string>>, device: "cpu" | "gpu") => {
    const wheels = machine.sources.wheels.map((wheel) => ({ ...wheel, device }));
    const sources = { ...machine.sources, wheels };
    return provision(t, { ...machine, sources, environment: { ...machine.environment, ...environment } });
  };
  await asking({ BAYESIAN_BITS_DEVICE: "cpu" }, "cpu");
  await asking({ BAYESIAN_BITS_ENGINE: "wasm" }, "gpu");
  t.strictSame(machine.asked(), ["tensorflow_cpu"]);
  t.notOk(existsSync(cudaFolder()));
});

t.test("what a stopped or failed set-up has fetched stays; the next one fetches the rest", async (t) => {
  const machine = gpuMachine(t, `case "$*" in *cublas*) echo "ERROR: no route to index" >&2; exit 1;; esac\n${pip}`);
  t.equal((await provision(t, machine)).kind, "native", "the engine is there all the same");
  t.strictSame(kinds(machine.cuda), ["whole", "missing"]);
  t.strictSame(readdirSync(cudaFolder()), ["cuda_runtime"], "nothing half-made is left");
  t.match(machine.warnings, [
    /^the libraries for GPUs were not fetched: pip could not download nvidia-cublas-cu12 12\.\S+: ERROR: no route to index.*\. Training uses the processor: remedy the cause, then run npm run setup again \(BAYESIAN_BITS_DEVICE=cpu asks for none\)$/,
  ]);
  writeFileSync(join(t.testdirName, "bin", "python3"), `#!/bin/sh\n${pip}`);
  await provision(t, machine);
  t.strictSame(kinds(machine.cuda), ["whole", "whole"]);
});

t.test("Ctrl-C ends the set-up while it fetches", async (t) => {
  const machine = gpuMachine(t, `case "$*" in *cublas*) exec /bin/sleep 60;; esac\n${pip}`);
  const stop = new AbortController();
  const ended = provision(t, machine, { signal: stop.signal });
  const timer = setInterval(() => machine.asked().includes("nvidia-cublas-cu12") && stop.abort("SIGINT"), 20);
  await t.rejects(ended, { message: /set-up was stopped/, exitCode: exitCodes.interrupted });
  clearInterval(timer);
  t.strictSame(readdirSync(cudaFolder()), ["cuda_runtime"]);
});

t.test("a file that is not the pinned one ends the set-up", async (t) => {
  const machine = gpuMachine(t);
  const [runtime, cublas] = machine.cuda;
  const cuda = [runtime!, { ...cublas!, sha256: "0".repeat(64) }];
  await t.rejects(provision(t, machine, { cuda }), /nvidia_cublas_cu12-.*is not used: pip's index serves another file/);
});

t.test("too little room for all of them is said before the first is fetched", async (t) => {
  const machine = gpuMachine(t);
  const cuda = machine.cuda.map((wheel) => ({ ...wheel, unpackedBytes: 1e18 }));
  await provision(t, machine, { cuda });
  t.match(machine.warnings, [/needs 2000000000000 MB in .*nvidia, where \d+ MB are free: make room/]);
  t.strictSame(machine.asked(), ["tensorflow_cpu"]);
});

t.test("a damaged library, and one of another version, are fetched again, and no other", async (t) => {
  const machine = gpuMachine(t);
  await provision(t, machine);
  const [runtime, cublas] = machine.cuda;
  const library = join(cudaFolder(runtime), "lib", "libcudart.so.12");
  writeFileSync(library, Buffer.alloc(statSync(library).size));
  t.strictSame(kinds(machine.cuda), ["damaged", "whole"]);
  await provision(t, machine);
  t.strictSame(kinds(machine.cuda), ["whole", "whole"]);
  t.equal(machine.asked().length, 4);
  const older = { ...cublas!, file: "older.whl", sha256: "1".repeat(64) };
  t.match(cudaStates([older]), [
    { state: { kind: "damaged", what: /is from nvidia_cublas.* and not from older\.whl$/ } },
  ]);
});

/** A machine that lacks these libraries. */
const lacking = (...libraries: readonly string[]): typeof thisMachine => ({
  problem: (name) => (libraries.includes(name) ? "gone" : null),
  driver: () => null,
});

t.test("what is fetched counts as found; what is damaged is named with its remedy", async (t) => {
  const machine = gpuMachine(t);
  setEnvironment(t, machine.environment);
  const opened = machine.cuda.flatMap(({ opens }) => opens);
  const remedy =
    /libcublas\.so\.12, libcublasLt\.so\.12; run BAYESIAN_BITS_DEVICE=gpu npm run setup, which fetches them/;
  t.match(gpuProblems(machine.cuda, lacking(...opened)), [remedy]);
  await provision(t, machine);
  t.strictSame(gpuProblems(machine.cuda, lacking(...opened)), []);
  rmSync(join(cudaFolder(machine.cuda[1]), "lib", "libcublasLt.so.12"));
  t.match(gpuProblems(machine.cuda, lacking(...opened)), [
    /^a library for GPUs is damaged: .*libcublasLt\.so\.12 has no bytes .*; run BAYESIAN_BITS_DEVICE=gpu npm run setup$/,
  ]);
});

t.test("libraries, ptxas, libdevice and licences of NVIDIA's wheels are kept", async (t) => {
  t.equal(placeInCuda("nvidia/cublas/lib/libcublas.so.12"), "lib/libcublas.so.12");
  t.equal(placeInCuda("nvidia/cuda_nvcc/bin/ptxas"), "bin/ptxas");
  t.equal(placeInCuda("nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc"), "nvvm/libdevice/libdevice.10.bc");
  t.equal(placeInCuda("nvidia_curand_cu12-10.3.dist-info/License.txt"), "License.txt");
  for (const other of [
    "nvidia/cublas/include/cublas.h",
    "nvidia/cuda_nvcc/bin/nvcc",
    "nvidia/__init__.py",
    "lib/libx.so",
  ])
    t.equal(placeInCuda(other), null, other);
});
