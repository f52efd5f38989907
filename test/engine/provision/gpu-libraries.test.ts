import t from "tap";
import { cudaWheelsFor } from "../../../src/engine/provision/cuda-wheels.ts";
import { driverVersion, isOlder } from "../../../src/engine/provision/driver.ts";
import { gpuProblems, loaderProblem, systemHasCuda } from "../../../src/engine/provision/gpu-libraries.ts";
import { setEnvironment } from "../../fixtures/fake-machine.ts";

t.test(
  "the loader itself tells what is there",
  { skip: process.platform !== "linux" && "Linux's loader" },
  async (t) => {
    t.equal(loaderProblem("libc.so.6"), null);
    t.match(loaderProblem("libnothing-of-the-kind.so.3"), /cannot open|No such file/);
  },
);

const wheels = cudaWheelsFor("linux-x64");
const opened = wheels.flatMap(({ opens }) => opens);

/** A machine without these libraries, and with a driver that says this of itself. */
const lacking = (libraries: readonly string[], driver: string | null = null) => ({
  problem: (name: string) => (libraries.includes(name) ? "gone" : null),
  driver: () => driver,
});

const unix =
  "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82.01  Wed Oct 27 21:21:55 UTC 2021\nGCC version:  11.2\n";
const open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build  (dvs-builder@U16)\n";

t.test("every missing part is named with its remedy, and nothing else", async (t) => {
  setEnvironment(t, { XDG_CACHE_HOME: t.testdir() });
  const problems = (...libraries: readonly string[]) => gpuProblems(wheels, lacking(libraries));
  t.strictSame(problems(), []);
  t.match(problems("libcuda.so.1"), [/^NVIDIA's driver is missing: .*libcuda\.so\.1; install .*525\.60\.13 or newer$/]);
  t.match(problems("libcudnn.so.9", "libcufft.so.11"), [
    /find libcufft\.so\.11, libcudnn\.so\.9; run BAYESIAN_BITS_DEVICE=gpu npm run setup, .* LD_LIBRARY_PATH$/,
  ]);
  t.equal(problems("libcuda.so.1", ...opened).length, 2);
  t.ok(systemHasCuda(wheels, lacking([])));
  for (const library of opened) t.notOk(systemHasCuda(wheels, lacking([library])), library);
});

t.test("a driver that is too old for CUDA 12 is named with its version", async (t) => {
  setEnvironment(t, { XDG_CACHE_HOME: t.testdir() });
  t.match(gpuProblems(wheels, lacking([], unix)), [/^NVIDIA's driver 470\.82\.01 is too old for CUDA 12: install/]);
  for (const text of [open, "a text of another kind"]) t.strictSame(gpuProblems(wheels, lacking([], text)), [], text);
});

t.test("versions of drivers are read and compared number by number", async (t) => {
  t.strictSame([unix, open, "nothing"].map(driverVersion), ["470.82.01", "550.54.14", null]);
  for (const [version, older] of [
    ["525.60.12", true],
    ["525.9.99", true],
    ["525", true],
    ["525.60.13", false],
    ["525.105.17", false],
    ["1000.1", false],
  ] as const)
    t.equal(isOlder(version, "525.60.13"), older, version);
});
