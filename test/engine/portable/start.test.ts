import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { UserError } from "../../../src/base/errors.ts";
import { silent } from "../../../src/base/progress.ts";
import { loadEngine } from "../../../src/engine/load.ts";
import { bindingName, engineFolder } from "../../../src/engine/provision/locate.ts";
import { freeing } from "../../fixtures/engines.ts";

/** Sets variables of the environment for one test. */
function withEnvironment(t: Test, variables: Readonly<Record<string, string>>): void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  t.teardown(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}

/** What `work` is refused with. */
const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

t.test("WebAssembly starts without a word on the console, and says what it is", async (t) => {
  const said = (["log", "info", "warn", "error"] as const).map((method) => t.capture(console, method));
  const { ops, info } = await loadEngine({ kind: "wasm" });
  const sum = freeing(ops, () =>
    ops.scalar(ops.dot(ops.tensor(Float32Array.of(1, 2), [2]), ops.tensor(Float32Array.of(3, 4), [2]))),
  );
  t.same(
    said.flatMap((calls) => calls()),
    [],
  );
  t.equal(sum, 11);
  t.match(info, {
    engine: "wasm",
    tensorflow: "tfjs 4.22.0 (WebAssembly)",
    device: "cpu",
    reason: "engine.kind is wasm",
  });
});

t.test("without a native engine, auto steps down with one warning and native is refused", async (t) => {
  withEnvironment(t, { XDG_CACHE_HOME: t.testdir(), BAYESIAN_BITS_ENGINE: "wasm" });
  const warnings: string[] = [];
  const { info } = await loadEngine({ reporter: { ...silent, warn: (message) => void warnings.push(message) } });
  t.equal(info.engine, "wasm");
  t.equal(warnings.length, 1);
  t.match(warnings[0], /^BAYESIAN_BITS_ENGINE=wasm: using WebAssembly/);
  const error = await refusal(loadEngine({ kind: "native" }));
  t.ok(error instanceof UserError);
  t.match(error, { message: /engine\.kind is native, but .*BAYESIAN_BITS_ENGINE=wasm.*npm run setup/ });
});

t.test(
  "a damaged native engine is refused with its path and the remedy",
  { skip: engineFolder() === null },
  async (t) => {
    withEnvironment(t, { XDG_CACHE_HOME: t.testdir(), BAYESIAN_BITS_ENGINE: "auto" });
    const folder = engineFolder()!;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, bindingName), "not a library");
    const error = await refusal(loadEngine({ kind: "native" }));
    t.ok(error instanceof UserError);
    t.match(error, { message: `cannot load the native engine ${join(folder, bindingName)}` });
    t.match(error, { message: /remove its folder and run npm run setup/ });
  },
);
