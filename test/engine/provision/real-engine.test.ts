import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { engineSources, findNative, locateEngine } from "../../../src/engine/provision/locate.ts";
import { probeBinding } from "../../../src/engine/provision/probe.ts";
import { hardeningOf } from "../../fixtures/elf.ts";
import { nativeMissing } from "../../fixtures/engines.ts";

const location = locateEngine();

t.test("the engine of this machine multiplies matrices", { skip: nativeMissing() }, async (t) => {
  if (location.kind === "native") await t.resolves(probeBinding(location.binding));
});

t.test("it starts without TensorFlow's banner", { skip: nativeMissing() }, async (t) => {
  if (location.kind !== "native") return;
  const { stderr, status } = spawnSync(process.execPath, ["-e", "require(process.argv[1])", location.binding], {
    encoding: "utf8",
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3", TF_ENABLE_ONEDNN_OPTS: "1" },
  });
  t.equal(status, 0);
  t.equal(stderr, "");
});

t.test("a file that is no binding is named as such", async (t) => {
  await t.rejects(probeBinding(`${t.testdir({ "tfjs_binding.node": "text" })}/tfjs_binding.node`), {
    name: "UserError",
    message: /the engine does not run here: Error: .*tfjs_binding\.node/,
  });
});

const built = findNative(engineSources()).engine;
const isBuiltHere = process.platform === "linux" && built !== null && built.wheel !== null;

t.test(
  "what was compiled here guards its stack, its copies and its addresses",
  {
    skip: !isBuiltHere && "no engine was compiled on Linux",
  },
  async (t) => {
    const folder = dirname(built!.binding);
    const read = (path: string) => readFileSync(join(folder, path));
    const guarded = ["tfjs_binding.node", "lib/libquantizer.so"];
    for (const path of [...guarded, "lib/libquiet.so"])
      t.strictSame(hardeningOf(read(path)), { relro: true, bindNow: true }, path);
    for (const path of guarded) t.ok(read(path).includes("__stack_chk_fail\0"), path);
    t.match(read("tfjs_binding.node").toString("latin1"), /__[a-z]+_chk\0/, "copies that know their room");
  },
);
