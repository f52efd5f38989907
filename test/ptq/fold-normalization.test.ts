import t from "tap";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { FileGraph } from "../../src/ptq/file-graph.ts";
import { foldBatchNorms } from "../../src/ptq/fold-normalization.ts";
import { encodePlain, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

const ones = (name: string, dims: readonly number[]) => {
  const values = new Float32Array(dims.reduce((product, size) => product * size, 1)).fill(1);
  return { name, dims, dataType: 1, rawData: new Uint8Array(values.buffer) };
};

const model = (change: Partial<PlainModel> = {}, sizes: readonly number[] = [6], spatial = 1): PlainModel => ({
  opset: 9,
  inputs: [{ name: "x", shape: ["n", 3, 5, 5] }],
  outputs: [{ name: "y" }],
  nodes: [
    { opType: "Conv", name: "c", input: ["x", "w"], output: ["c"] },
    {
      ...{ opType: "BatchNormalization", name: "n", input: ["c", "scale", "shift", "mean", "var"], output: ["y"] },
      attribute: spatial === 1 ? [] : [{ name: "spatial", type: 2, i: spatial }],
    },
  ],
  tensors: [
    floats("w", [6, 3, 3, 3]),
    ...["scale", "shift", "mean"].map((name) => floats(name, sizes)),
    ones("var", sizes),
  ],
  ...change,
});

const arrays = new Map([["x", sampleArray("x", [4, 3, 5, 5])]]);
const folds = (plain: PlainModel) => foldBatchNorms(new FileGraph(readModel(encodePlain(plain), "it")));

t.test("a weight that the file gives as well stays what it is", async (t) => {
  const plain = model({ outputs: [{ name: "y" }, { name: "w" }] });
  t.equal(folds(plain), 0);
  const { outputs } = await quantized(encodePlain(plain), arrays);
  t.match(outputs[1], { name: "w", same: true });
});

t.test("a normalization with numbers for each place stays", async (t) => {
  t.equal(folds(model({ opset: 7 }, [6, 3, 3], 0)), 0);
  t.equal(folds(model({ opset: 7 })), 1);
});

t.test("sizes that the file tells of the convolution alone are those of its output", async (t) => {
  const free = [{ name: "x", shape: ["n", 3, "height", "width"] }];
  const { interfaces } = await quantized(
    encodePlain(model({ inputs: free, values: [{ name: "c", shape: ["n", 6, "high", "wide"] }] })),
    arrays,
  );
  t.match(interfaces[0]!.outputs, [{ shape: ["n", 6, "high", "wide"] }]);
  t.strictSame(interfaces[1], interfaces[0]);
});
