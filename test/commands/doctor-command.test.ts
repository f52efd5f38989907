import t from "tap";
import { loaderProblem } from "../../src/engine/provision/gpu-libraries.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { start } from "../fixtures/program.ts";

const keys = ["engine", "tensorflow", "device", "threads", "node", "reason"];

t.test(
  "doctor --json is one line with the agreed names, and nothing on standard error",
  { skip: nativeMissing() },
  async (t) => {
    const { code, stdout, stderr } = await start(["doctor", "--json"]).ended;
    t.equal(code, 0);
    t.equal(stderr, "");
    t.equal(stdout.trim().split("\n").length, 1);
    const found = JSON.parse(stdout);
    t.strictSame(Object.keys(found), keys);
    t.match(found, { engine: "native", tensorflow: /^\d+\.\d+/, device: /^(cpu|gpu)$/, node: process.version });
  },
);

t.test("WebAssembly can be asked for, and doctor says how to get the native engine", async (t) => {
  const env = { BAYESIAN_BITS_ENGINE: "wasm" };
  const json = JSON.parse((await start(["doctor", "--json"], env).ended).stdout);
  t.strictSame(Object.keys(json), keys);
  t.match(json, { engine: "wasm", threads: 1, reason: "BAYESIAN_BITS_ENGINE=wasm" });
  const { stdout } = await start(["doctor"], { ...env, XDG_CACHE_HOME: t.testdir({ "bayesian-bits": {} }) }).ended;
  for (const name of ["engine", "TensorFlow", "device", "processor", "instructions", "Node", "cache", "remedy"]) {
    t.match(stdout, new RegExp(`^${name} +\\S`, "m"));
  }
});

const noDriver = loaderProblem("libcuda.so.1") === null && "this machine has NVIDIA's driver";

t.test(
  "a GPU that is asked for and not there: what is missing, and the remedy",
  {
    skip: nativeMissing() || noDriver,
  },
  async (t) => {
    const { code, stdout } = await start(["doctor"], { BAYESIAN_BITS_DEVICE: "gpu" }).ended;
    t.equal(code, 0);
    t.match(stdout, /^device +cpu/m);
    t.match(stdout, /^no GPU +NVIDIA's driver is missing: .*libcuda\.so\.1.*install/m);
    const { stdout: unasked } = await start(["doctor"]).ended;
    t.notMatch(unasked, "no GPU");
  },
);

t.test("a native engine that is demanded and missing is an error; so is an unknown engine", async (t) => {
  const none = await start(["doctor"], { BAYESIAN_BITS_ENGINE: "native", XDG_CACHE_HOME: t.testdir() }).ended;
  t.equal(none.code, 1);
  t.match(none.stderr, /^error: BAYESIAN_BITS_ENGINE=native, but there is no native engine.*npm run setup\n$/);
  const unknown = await start(["doctor"], { BAYESIAN_BITS_ENGINE: "cuda" }).ended;
  t.equal(unknown.code, 2);
  t.match(unknown.stderr, 'expected auto, native or wasm, got "cuda"');
});
