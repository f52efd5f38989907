import fc from "fast-check";
import t from "tap";
import { first } from "../../../src/core/elements.ts";
import type { Pair } from "../../../src/core/pair.ts";
import type { Attribute } from "../../../src/export/onnx/graph-builder.ts";
import { GraphBuilder } from "../../../src/export/onnx/graph-builder.ts";
import { encodeModelProto, readModel } from "../../../src/export/onnx/read-model.ts";
import { RuntimeModel } from "../../../src/export/runtime.ts";
import { verifyImport } from "../../../src/export/verify-import.ts";
import { anyEngine, elementsOf, random } from "../../fixtures/engines.ts";
import { importBytes } from "../../fixtures/onnx/files.ts";

const { ops } = await anyEngine();
const classes = 10;

interface Case {
  readonly seed: number;
  /** Of the images. */
  readonly size: Pair;
  readonly channels: number;
  /** Adds nodes that read `x`; gives the name of the last one's value. */
  readonly add: (graph: GraphBuilder, x: string, seed: number) => string;
  readonly opset?: number;
  /** Whether the file has no axis of rows: images of one row. */
  readonly lines?: boolean;
  readonly about: unknown;
}

/** A file with the nodes of a case, and a dense layer behind them. */
async function fileOf({ seed, size, channels, add, opset = 13, lines = false }: Case): Promise<Uint8Array> {
  const sides = lines ? size.slice(1) : size;
  const build = (units: number | null) => {
    const graph = new GraphBuilder();
    const value = add(graph, "images", seed);
    const flat = graph.node("Flatten", [value], { name: "flat", attributes: { axis: 1 } });
    if (units !== null) {
      const matrix = graph.floats("fc.weight", random(seed, "fc", [units, classes]), [units, classes]);
      graph.node("MatMul", [flat, matrix], { name: "fc", output: "logits" });
    }
    const bytes = graph.encode({
      ...{ name: "geometry", doc: "", metadata: {} },
      inputs: [{ name: "images", shape: ["batch", channels, ...sides] }],
      outputs: [
        units === null ? { name: flat, shape: ["batch", "units"] } : { name: "logits", shape: ["batch", classes] },
      ],
    });
    const model = readModel(bytes, "geometry.onnx");
    return encodeModelProto({ ...model, opsetImport: [{ ...first(model.opsetImport), version: BigInt(opset) }] });
  };
  const shape = [1, channels, ...sides];
  const trial = await RuntimeModel.load(build(null), "trial.onnx");
  const [values] = (
    await trial.run(new Float32Array(elementsOf(shape)), shape).finally(() => trial.release())
  ).values();
  return build(values!.length);
}

/** Takes the file of a case over and compares the two on random images. */
async function verify(drawn: Case): Promise<void> {
  const bytes = await fileOf(drawn);
  const inputShape = [...drawn.size, drawn.channels] as const;
  const imported = importBytes(bytes, inputShape);
  await verifyImport({ ...imported, path: "geometry.onnx", bytes, inputShape, classes }, ops);
}

const holds = (cases: fc.Arbitrary<Case>, numRuns = 25) =>
  fc.assert(fc.asyncProperty(cases, verify), { seed: 1, numRuns });

const small = (min: number, max: number) => fc.integer({ min, max });
const pair = (min: number, max: number): fc.Arbitrary<Pair> => fc.tuple(small(min, max), small(min, max));
/** Images, and what slides over them, which may be larger than they are where zeros stand around. */
const sliding = {
  seed: small(1, 1000),
  size: pair(5, 9),
  strides: pair(1, 3),
  padding: fc.oneof(
    fc.constant({ pads: [0, 0, 0, 0] }),
    fc.record({ pads: fc.tuple(small(0, 2), small(0, 2), small(0, 2), small(0, 2)) }),
    fc.record({ auto_pad: fc.constantFrom("SAME_UPPER", "SAME_LOWER", "VALID") }),
  ),
};
type Attributes = Readonly<Record<string, Attribute>>;

const convolutions: fc.Arbitrary<Case> = fc
  .record({
    ...{ ...sliding, kernel: pair(1, 3), dilations: pair(1, 2), groups: fc.constantFrom(1, 1, 2, 3) },
    /** Of a group. */
    ...{ inputs: small(1, 3), outputs: small(1, 4) },
  })
  .map(({ seed, size, strides, padding, kernel, dilations, groups, inputs, outputs }) => {
    // onnxruntime knows no SAME with dilations.
    const dilated = "auto_pad" in padding && padding.auto_pad !== "VALID" ? {} : { dilations };
    const attributes: Attributes = { kernel_shape: kernel, strides, group: groups, ...dilated, ...padding };
    const add: Case["add"] = (graph, x) => {
      const shape = [outputs * groups, inputs, ...kernel];
      const weight = graph.floats("conv.weight", random(seed, "w", shape), shape);
      const bias = graph.floats("conv.bias", random(seed, "b", [outputs * groups]), [outputs * groups]);
      return graph.node("Conv", [x, weight, bias], { name: "conv", attributes });
    };
    return { seed, size, channels: inputs * groups, add, about: attributes };
  });

const poolings: fc.Arbitrary<Case> = fc
  .record({
    ...{ ...sliding, kernel: pair(2, 4), opType: fc.constantFrom("MaxPool", "AveragePool", "AveragePool") },
    ...{ ceiling: small(0, 1), counts: small(0, 1), opset: fc.constantFrom(13, 19) },
  })
  .map(({ seed, size, strides, padding, kernel, opType, ceiling, counts, opset }) => {
    const before: readonly number[] = "pads" in padding ? padding.pads.slice(0, 2) : [0, 0];
    // onnxruntime disagrees with itself where the last window would begin behind the image.
    const begins = kernel.every((side, axis) => strides[axis]! <= side && size[axis]! + before[axis]! > side);
    const mode = "pads" in padding && begins ? { ceil_mode: ceiling } : {};
    const counting = opType === "AveragePool" ? { count_include_pad: counts } : {};
    const within = (pad: number, at: number) => (ceiling && at > 1 ? 0 : Math.min(pad, kernel[at % 2]! - 1));
    const pads = "pads" in padding ? { pads: Array.from(padding.pads, within) } : {};
    // Nor does it pool with SAME where windows leave pixels out.
    const own = "pads" in padding || begins ? padding : {};
    const attributes: Attributes = { kernel_shape: kernel, strides, ...own, ...pads, ...mode, ...counting };
    const add: Case["add"] = (graph, x) => {
      const weight = graph.floats("conv.weight", random(seed, "w", [3, 2, 1, 1]), [3, 2, 1, 1]);
      const conv = graph.node("Conv", [x, weight], { name: "conv", attributes: { kernel_shape: [1, 1] } });
      return graph.node(opType, [conv], { name: "pool", attributes });
    };
    return { seed, size, channels: 2, add, opset, about: { opType, ...attributes, opset } };
  });

t.test("pooling over windows of any shape, with padding of both kinds, rounded up or not", async () => {
  await holds(poolings, 40);
});

const transposed: fc.Arbitrary<Case> = fc
  .record({
    ...{ seed: small(1, 1000), size: pair(2, 5), kernel: pair(2, 4), strides: pair(1, 3), pads: small(0, 1) },
    ...{ end: small(0, 1), inputs: small(1, 3), outputs: small(1, 3), output: small(0, 1), same: small(0, 3) },
  })
  .map(({ seed, size, kernel, strides, pads, end, inputs, outputs, output, same }) => {
    const automatic = same > 1 && kernel.every((side, axis) => side >= strides[axis]!);
    const attributes: Attributes = {
      ...{ kernel_shape: kernel, strides },
      ...(automatic
        ? { auto_pad: same === 2 ? "SAME_UPPER" : "SAME_LOWER" }
        : { pads: [pads, 0, end, pads], output_padding: strides.map((stride) => Math.min(output, stride - 1)) }),
    };
    const add: Case["add"] = (graph, x) => {
      const shape = [inputs, outputs, ...kernel];
      const weight = graph.floats("up.weight", random(seed, "w", shape), shape);
      const bias = graph.floats("up.bias", random(seed, "b", [outputs]), [outputs]);
      return graph.node("ConvTranspose", [x, weight, bias], { name: "up", attributes });
    };
    return { seed, size, channels: inputs, add, about: attributes };
  });

t.test("transposed convolutions", async () => {
  await holds(transposed, 40);
});

const lines: fc.Arbitrary<Case> = fc
  .record({
    ...{ seed: small(1, 1000), length: small(6, 12), kernel: small(2, 3), stride: small(1, 2), dilation: small(1, 2) },
    ...{ pads: fc.tuple(small(0, 1), small(0, 1)), groups: small(1, 2), outputs: small(1, 2) },
    opType: fc.constantFrom("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool"),
  })
  .map(({ seed, length, kernel, stride, dilation, pads, groups, outputs, opType }) => {
    const window: Attributes = { kernel_shape: [kernel], strides: [stride], pads };
    const add: Case["add"] = (graph, x) => {
      const shape = [groups * outputs, 2 / groups, kernel];
      const conv = graph.node("Conv", [x, graph.floats("conv.weight", random(seed, "w", shape), shape)], {
        ...{ name: "conv", attributes: { ...window, dilations: [dilation], group: groups } },
      });
      const relu = graph.node("Relu", [conv], { name: "relu" });
      if (opType === "Conv") return relu;
      if (opType === "GlobalAveragePool") return graph.node(opType, [relu], { name: "pool" });
      if (opType !== "ConvTranspose") return graph.node(opType, [relu], { name: "pool", attributes: window });
      const back = [groups * outputs, 3, kernel];
      const weight = graph.floats("up.weight", random(seed, "up", back), back);
      return graph.node(opType, [relu, weight], { name: "up", attributes: window });
    };
    const about = { ...window, dilation, groups, outputs, opType, length };
    return { seed, size: [1, length], channels: 2, lines: true, add, about };
  });

t.test("convolutions and pooling over lines, which are images of one row", async () => {
  await holds(lines, 30);
});

t.test("convolutions with strides and dilations of their own for rows and columns, in groups", async () => {
  await holds(convolutions);
});
