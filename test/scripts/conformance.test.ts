import t from "tap";
import { checkFolder } from "../../scripts/conformance/check-folder.ts";
import { loadEngine } from "../../src/engine/load.ts";
import { nativeMissing } from "../fixtures/engines.ts";

const golden = "test/fixtures/golden";

for (const kind of ["native", "wasm"] as const) {
  t.test(
    `the authors' figures hold on the ${kind} engine`,
    { skip: kind === "native" && nativeMissing() },
    async (t) => {
      const { ops } = await loadEngine({ kind });
      const outcomes = checkFolder(golden, ops);
      t.equal(outcomes.length, 6);
      for (const { file, cases, failed, maxError } of outcomes) {
        t.equal(failed, 0, `${file}: ${cases} cases, largest error ${maxError}`);
      }
    },
  );
}

t.test("a folder without golden files is an error", async (t) => {
  const { ops } = await loadEngine({ kind: "wasm" });
  t.throws(() => checkFolder("configs", ops), { message: /no golden file/ });
});
