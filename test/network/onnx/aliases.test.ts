import fc from "fast-check";
import t from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { verifyImport } from "../../../src/export/verify-import.ts";
import { importNetwork } from "../../../src/network/onnx/import-network.ts";
import { readModel } from "../../../src/onnx/onnx-model.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { aliasedFile, classes, imageShape, steps } from "../../fixtures/onnx/aliased-graphs.ts";

// `npm run test:import` sets it.
const numRuns = Number(process.env.BAYESIAN_BITS_IMPORT_CASES ?? 100);
const { ops } = await anyEngine();
const path = "aliases.onnx";

t.test(`${numRuns} graphs whose values go by several names mean what they mean to onnxruntime`, async (t) => {
  let taken = 0;
  const law = fc.asyncProperty(steps, fc.nat({ max: 1e6 }), async (steps, seed) => {
    const bytes = aliasedFile(steps, seed);
    let imported: ReturnType<typeof importNetwork>;
    try {
      imported = importNetwork(readModel(bytes, path), {
        file: path,
        name: "aliases",
        inputShape: imageShape,
        classes,
      });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!/not supported/.test(error.message)) throw error;
      return;
    }
    taken++;
    await verifyImport({ ...imported, path, bytes, inputShape: imageShape, classes }, ops, { threads: 1 });
  });
  const { failed, errorInstance, counterexample } = await fc.check(law, { seed: 1, numRuns });
  t.equal(failed, false, `${String(errorInstance)}: ${JSON.stringify(counterexample)}`);
  t.ok(taken > 0.3 * numRuns, `${taken} of ${numRuns} were taken over`);
});
