import t from "tap";
import { Reference } from "../../../src/export/reference.ts";
import { batchOf, floats } from "../../../src/export/test-batches.ts";
import { lowerTflite } from "../../../src/export/tflite/lower-tflite.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { exportCase } from "../../fixtures/export-cases.ts";
import { logitsInLiteRtJs } from "../../fixtures/litert-js.ts";
import { whole } from "../../fixtures/splits.ts";

const { ops } = await anyEngine();
const count = 8;

// A network of each kind: 49 has weights of 4 bits, 43 all widths.
for (const index of [40, 49, 43]) {
  const { title, network, input, images } = exportCase(ops, index);
  t.test(`${title}: LiteRT.js makes of a file what the trainer does`, async (t) => {
    const lowered = lowerTflite(network, { input, metadata: {} });
    const batch = batchOf(await whole(images(count)), { network, ops, input, channelsLast: true });
    const found = await logitsInLiteRtJs(lowered.bytes, batch.forFile, batch.shape);
    const reference = new Reference(ops, lowered.network);
    const logits = ops.scope(
      () => floats(ops, reference.logits(ops.tensor(batch.normalized, [count, ...network.nodes[0]!.outputShape]))),
      () => [],
    );
    reference.release();
    t.equal(found.length, logits.length);
    const largest = Math.max(...logits.map(Math.abs));
    const apart = Math.max(...logits.map((value, at) => Math.abs(value - found[at]!))) / largest;
    t.ok(apart < 1e-4, `logits are ${apart} of the largest apart`);
  });
}
