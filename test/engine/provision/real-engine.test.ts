import { spawnSync } from "node:child_process";
import t from "tap";
import { locateEngine } from "../../../src/engine/provision/locate.ts";
import { probeBinding } from "../../../src/engine/provision/probe.ts";
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
