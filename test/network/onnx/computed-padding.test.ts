import t from "tap";
import { importBytes } from "../../fixtures/onnx/files.ts";
import { encodePlain, node, type PlainNode } from "../../fixtures/onnx/plain-model.ts";

const INT64 = 7;
const integers = (name: string, values: readonly number[], dims: readonly number[] = [values.length]) => ({
  ...{ name, dims, dataType: INT64 },
  rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});
const floats = (name: string, dims: readonly number[]) => ({
  ...{ name, dims, dataType: 1 },
  rawData: new Uint8Array(new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.1).buffer),
});
/** How many zeros stand before the sizes that PyTorch pads by: 2 · rank - 4, as exporters compute it. */
const ways: Readonly<Record<string, readonly PlainNode[]>> = {
  "the shape of the shape": [
    node("Shape", ["images"], "shape"),
    node("Shape", ["shape"], "rank"),
    node("Mul", ["rank", "two"], "sizes"),
    node("Sub", ["sizes", "four"], "zeros"),
  ],
  "the size of the shape": [
    node("Shape", ["images"], "shape"),
    node("Size", ["shape"], "rank"),
    node("Mul", ["rank", "two"], "sizes"),
    node("Sub", ["sizes", "four"], "zeros"),
  ],
  "a quotient": [node("Div", ["eight", "two"], "zeros")],
};

/** A network whose padding is `pads`, or is computed by `count`. */
function fileOf(count: readonly PlainNode[] | null): Uint8Array {
  const computed =
    count === null
      ? []
      : [
          ...count,
          node("Expand", ["zero", "zeros"], "filling"),
          node("Concat", ["pad", "filling"], "all", [{ name: "axis", type: 2, i: 0 }]),
          node("Reshape", ["all", "pairs"], "paired"),
          node("Slice", ["paired", "minus-one", "lowest", "first", "minus-one"], "reversed"),
          node("Transpose", ["reversed"], "turned", [{ name: "perm", type: 7, ints: [1, 0] }]),
          node("Reshape", ["turned", "minus-one"], "computed"),
        ];
  return encodePlain({
    opset: 13,
    nodes: [
      ...computed,
      node("Pad", ["images", count === null ? "pads" : "computed"], "padded"),
      node("Conv", ["padded", "weight"], "conv"),
      node("GlobalAveragePool", ["conv"], "mean"),
      node("Flatten", ["mean"], "flat"),
      node("Gemm", ["flat", "matrix"], "logits"),
    ],
    tensors: [
      integers("zero", [0]),
      integers("two", [2]),
      integers("four", [4]),
      integers("eight", [8]),
      integers("first", [0]),
      integers("minus-one", [-1]),
      integers("lowest", [-(2 ** 53) + 1]),
      integers("pairs", [-1, 2]),
      // Left, right, top, bottom, as PyTorch has them; before and after each axis, as ONNX has.
      integers("pad", [0, 2, 1, 0]),
      integers("pads", [0, 0, 1, 0, 0, 0, 0, 2]),
      floats("weight", [4, 2, 3, 3]),
      floats("matrix", [4, 10]),
    ],
    inputs: [{ name: "images", shape: ["batch", 2, 8, 8] }],
    outputs: [{ name: "logits", shape: ["batch", 10] }],
  });
}

t.test("padding that exporters compute is the padding that it comes to", (t) => {
  const options = [8, 8, 2] as const;
  const { network } = importBytes(fileOf(null), options);
  for (const [way, count] of Object.entries(ways))
    t.strictSame(importBytes(fileOf(count), options).network, network, way);
  t.end();
});
