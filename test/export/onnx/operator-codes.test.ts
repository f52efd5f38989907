import fc from "fast-check";
import t from "tap";
import { ort } from "../../../src/core/onnx-runtime.ts";
import { GraphBuilder } from "../../../src/export/onnx/graph-builder.ts";
import { codesInBytes, packedCodes } from "../../../src/export/onnx/operator-codes.ts";
import { readModel } from "../../../src/export/onnx/read-model.ts";
import type { OperatorCodes } from "../../../src/export/onnx/weight-storage.ts";
import { elementTypes } from "../../../src/onnx/element-types.ts";
import { channelBytes } from "../../../src/quantization/channel-bytes.ts";
import { rowBytes } from "../../fixtures/onnx-values.ts";

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
      widths: fc.option(
        fc.array(fc.constantFrom(0 as const, 2 as const, 3 as const, 4 as const, 8 as const), {
          minLength: 4,
          maxLength: 4,
        }),
      ),
      inputsFirst: fc.boolean(),
      multiple: fc.constantFrom("none", "one", "each"),
      seed: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 32, maxLength: 32 }),
    })
    .map(({ bits: uniform, widths, container, channels, size, inputsFirst, multiple, seed }): OperatorCodes => {
      const channelBits = widths === null ? null : Uint8Array.from(widths.slice(0, channels));
      const widest = channelBits === null ? uniform : Math.max(2, ...channelBits);
      const bits = ([2, 3, 4, 8] as const).find((known) => known === widest)!;
      const largest = Math.floor(127 / (2 ** (bits - 1) - 1));
      // Integer operators alone read inputs first, and multiply nothing.
      const axis = inputsFirst && multiple === "none" ? 1 : 0;
      const channelOf = (index: number) => (axis === 0 ? Math.floor(index / size) : index % channels);
      const highestOf = (channel: number) => {
        const width = channelBits === null ? bits : channelBits[channel]!;
        return width === 0 ? 0 : 2 ** (width - 1) - 1;
      };
      const codes = Int32Array.from(seed.slice(0, channels * size), (share, index) =>
        Math.round((2 * share - 1) * highestOf(channelOf(index))),
      );
      const each = Int32Array.from(seed.slice(-channels), (share) => 1 + Math.floor(share * (largest - 1)));
      const multiples = multiple === "none" ? 1 : multiple === "one" ? largest : each;
      const shape = axis === 0 ? [channels, size, 1] : [size, channels];
      return { name: "codes", codes, shape, axis, bits, channelBits, container, multiples };
    });
  for (const weight of fc.sample(weights, { seed: 3, numRuns: 200 })) {
    const packed = await readBack(weight, packedCodes);
    const whole = await readBack(weight, codesInBytes);
    const { bits, channelBits, container, multiples, codes, axis, shape } = weight;
    const widths = channelBits ?? new Uint8Array(shape[axis]!).fill(bits);
    t.same(packed.values, whole.values, `rows of ${widths} bits in ${container}, multiples ${multiples}`);
    const counted = channelBytes(widths, codes.length / widths.length);
    t.match(rowBytes(packed.model, "codes"), { codes: counted.codes, order: counted.order }, "bytes as counted");
  }
});
