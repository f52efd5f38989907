import t from "tap";
import { checkFolder } from "../../scripts/conformance/check-folder.ts";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { nativeMissing } from "../fixtures/engines.ts";

const folders = [
  { folder: "test/fixtures/golden", files: 6 },
  { folder: "test/fixtures/golden/adaround", files: 5 },
  { folder: "test/fixtures/golden/bit-split", files: 3 },
  { folder: "test/fixtures/golden/haq", files: 3 },
  { folder: "test/fixtures/golden/dpq", files: 3 },
  { folder: "test/fixtures/golden/ktb", files: 9 },
];

for (const kind of ["native", "wasm"] as const) {
  t.test(
    `the authors' figures hold on the ${kind} engine`,
    { skip: kind === "native" && nativeMissing() },
    async (t) => {
      const { ops } = await loadEngine({ kind });
      for (const { folder, files } of folders) {
        const before = ops.liveTensors();
        const outcomes = checkFolder(folder, ops, { long: false });
        t.equal(outcomes.length, files, folder);
        for (const { file, cases, failed, maxError } of outcomes) {
          t.ok(cases > 0, file);
          t.equal(failed, 0, `${folder}/${file}: ${cases} cases, largest error ${maxError}`);
        }
        t.equal(ops.liveTensors(), before, "nothing is left over");
      }
    },
  );
}

t.test("a folder without golden files is an error", async (t) => {
  const { ops } = await loadEngine({ kind: "wasm" });
  t.throws(() => checkFolder("configs", ops, { long: false }), { message: /no golden file/ });
});
