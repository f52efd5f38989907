import t from "tap";
import { gpuLibraries, gpuProblems, loaderProblem } from "../../../src/engine/provision/gpu-libraries.ts";

t.test(
  "the loader itself tells what is there",
  { skip: process.platform !== "linux" && "Linux's loader" },
  async (t) => {
    t.equal(loaderProblem("libc.so.6"), null);
    t.match(loaderProblem("libnothing-of-the-kind.so.3"), /cannot open|No such file/);
  },
);

t.test("every missing part is named with its remedy, and nothing else", async (t) => {
  const lacking = (...libraries: readonly string[]) =>
    gpuProblems((name) => (libraries.includes(name) ? "gone" : null));
  t.strictSame(lacking(), []);
  t.match(lacking("libcuda.so.1"), [/^NVIDIA's driver is missing: .*libcuda\.so\.1; install/]);
  t.match(lacking("libcudnn.so.9", "libcufft.so.11"), [
    /find libcufft\.so\.11, libcudnn\.so\.9; put .* LD_LIBRARY_PATH$/,
  ]);
  t.equal(lacking(...gpuLibraries.driver, ...gpuLibraries.cuda).length, 2);
});
