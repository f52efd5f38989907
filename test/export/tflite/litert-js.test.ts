import t from "tap";
import { Reference } from "../../../src/export/reference.ts";
import { batchOf, floats } from "../../../src/export/test-batches.ts";
import { lowerTflite } from "../../../src/export/tflite/lower-tflite.ts";
import { tensorsOf } from "../../../src/export/tflite/read-tflite.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { exportCase } from "../../fixtures/export-cases.ts";
import { logitsInLiteRtJs } from "../../fixtures/litert-js.ts";
import { whole } from "../../fixtures/splits.ts";

const { ops } = await anyEngine();
const count = 8;

// A network of each kind: 74 has weights of 4 bits, some of which are stored as int4, 43 all widths.
for (const { index, hasInt4 } of [
  { index: 40, hasInt4: false },
  { index: 74, hasInt4: true },
  { index: 43, hasInt4: false },
]) {
  const { title, network, input, images } = exportCase(ops, index);
  t.test(`${title}: LiteRT.js makes of a file what the trainer does`, async (t) => {
    const lowered = lowerTflite(network, { input, metadata: {} });
    const kinds = Array.from(tensorsOf(lowered.bytes, title).values(), ({ kind }) => kind);
    t.equal(
      kinds.some((kind) => / of type INT4 /.test(kind)),
      hasInt4,
      hasInt4 ? "weights of 4 bits are int4" : "none is int4",
    );
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
