import fc from "fast-check";
import t from "tap";
import { ort } from "../../../src/core/onnx-runtime.ts";
import { GraphBuilder } from "../../../src/export/onnx/graph-builder.ts";
import { codesInBytes, packedCodes } from "../../../src/export/onnx/operator-codes.ts";
import { packedBytes } from "../../../src/export/onnx/packing.ts";
import { readModel } from "../../../src/export/onnx/read-model.ts";
import type { OperatorCodes } from "../../../src/export/onnx/weight-storage.ts";
import { elementTypes } from "../../../src/onnx/element-types.ts";
import { storedBits } from "../../../src/quantization/levels.ts";
import { initializer } from "../../fixtures/onnx-values.ts";

/** What onnxruntime makes of codes in the graph, less their zero point; and the file. */
async function readBack(weight: OperatorCodes, add: typeof packedCodes) {
  const graph = new GraphBuilder();
  const { codes, zeroPoint } = add(graph, weight);
  graph.node("Cast", [codes], { name: "values", attributes: { to: elementTypes.int32 } });
  const bytes = graph.encode({
    name: "codes",
    doc: "",
    inputs: [],
    outputs: [{ name: "values", shape: weight.shape, type: elementTypes.int32 }],
    metadata: {},
  });
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const { values } = await session.run({});
  await session.release();
  return {
    values: Array.from(values!.data as Int32Array, (value) => value - zeroPoint),
    model: readModel(bytes, "codes"),
  };
}

t.test("packed codes become in the runtime what int8 files hold", async (t) => {
  const weights = fc
    .record({
      bits: fc.constantFrom(2 as const, 3 as const, 4 as const, 8 as const),
      container: fc.constantFrom("int8" as const, "uint8" as const),
      channels: fc.integer({ min: 1, max: 4 }),
      size: fc.integer({ min: 1, max: 7 }),
      multiple: fc.constantFrom("none", "one", "each"),
      seed: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 32, maxLength: 32 }),
    })
    .map(({ bits, container, channels, size, multiple, seed }): OperatorCodes => {
      const highest = 2 ** (bits - 1) - 1;
      const largest = Math.floor(127 / highest);
      const codes = Int32Array.from(seed.slice(0, channels * size), (share) => Math.round((2 * share - 1) * highest));
      const each = Int32Array.from(seed.slice(-channels), (share) => 1 + Math.floor(share * (largest - 1)));
      const multiples = multiple === "none" ? 1 : multiple === "one" ? largest : each;
      return { name: "codes", codes, shape: [channels, size, 1], bits, container, multiples };
    });
  for (const weight of fc.sample(weights, { seed: 3, numRuns: 120 })) {
    const packed = await readBack(weight, packedCodes);
    const whole = await readBack(weight, codesInBytes);
    const { bits, container, multiples, codes } = weight;
    t.same(packed.values, whole.values, `${bits} bits in ${container}, multiples ${multiples}`);
    const size = packedBytes(storedBits(bits), codes.length);
    t.equal(initializer(packed.model, "codes").bytes.length, size, "and take their own bits in the file");
  }
});
