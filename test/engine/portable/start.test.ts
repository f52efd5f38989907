import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { silent } from "../../../src/core/progress.ts";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import { freeing } from "../../fixtures/engines.ts";

/** Sets BAYESIAN_BITS_ENGINE for one test. */
function ask(t: Test, engine: "auto" | "wasm"): void {
  const before = process.env.BAYESIAN_BITS_ENGINE;
  process.env.BAYESIAN_BITS_ENGINE = engine;
  t.teardown(() => {
    if (before === undefined) delete process.env.BAYESIAN_BITS_ENGINE;
    else process.env.BAYESIAN_BITS_ENGINE = before;
  });
}

const missing = { kind: "wasm", reason: "no native engine: none here; run npm run setup" } as const;

t.test("WebAssembly starts without a word on the console, and says what it is", async (t) => {
  const said = (["log", "info", "warn", "error"] as const).map((method) => t.capture(console, method));
  const { ops, info } = await loadEngine({ kind: "wasm" });
  const sum = freeing(ops, () => {
    const [a, b] = [ops.tensor(Float32Array.of(1, 2), [2]), ops.tensor(Float32Array.of(3, 4), [2])];
    return ops.scalar(ops.dot(a, b));
  });
  t.same(
    said.flatMap((calls) => calls()),
    [],
  );
  t.equal(sum, 11);
  t.match(info, { engine: "wasm", tensorflow: /^tfjs \d+\.\d+\.\d+ \(WebAssembly\)$/, device: "cpu", threads: 1 });
  t.equal(info.reason, "engine.kind is wasm");
});

t.test("without a native engine, auto steps down with one warning that names the remedy", async (t) => {
  const warnings: string[] = [];
  const reporter = { ...silent, warn: (message: string) => void warnings.push(message) };
  const { info } = await loadEngine({ reporter, locate: () => missing });
  t.equal(info.engine, "wasm");
  t.equal(info.reason, missing.reason);
  t.equal(warnings.length, 1);
  t.match(warnings[0], /no native engine.*npm run setup.*WebAssembly/);
});

t.test("without a native engine, native is refused with the remedy", async (t) => {
  ask(t, "auto");
  const message = /engine\.kind is native, but .*no native engine.*npm run setup/;
  await t.rejects(loadEngine({ kind: "native", locate: () => missing }), { name: "UserError", message });
});

t.test("native is refused where the environment rules it out", async (t) => {
  ask(t, "wasm");
  const message = /engine\.kind is native, but BAYESIAN_BITS_ENGINE=wasm rules it out.*npm run setup/;
  await t.rejects(loadEngine({ kind: "native" }), { name: "UserError", message });
});

t.test("a damaged native engine is refused with its path and the remedy", async (t) => {
  const binding = join(t.testdir(), "damaged.node");
  writeFileSync(binding, "not a library");
  const locate = () => ({ kind: "native", binding, reason: "for this test" }) as const;
  const message = /cannot load the native engine .*damaged\.node: .*; remove its folder and run npm run setup/;
  await t.rejects(loadEngine({ kind: "native", locate }), { name: "UserError", message });
});
