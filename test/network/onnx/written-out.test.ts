import t from "tap";
import { anyEngine } from "../../fixtures/engines.ts";
import { FileWriter } from "../../fixtures/onnx/file-writer.ts";
import { agreeingGraph } from "../../fixtures/onnx/graph-agreement.ts";

const { ops } = await anyEngine();

/** How the two means of a written-out normalization are taken. */
interface Means {
  readonly opset?: number;
  readonly mean?: readonly number[];
  readonly variance?: readonly number[];
  readonly keeps?: 0 | 1;
}

async function kindsOf({ opset = 13, mean = [-1], variance = mean, keeps = 1 }: Means) {
  const file = new FileWriter(opset);
  const meanOf = (x: string, axes: readonly number[], keepdims: 0 | 1) =>
    opset < 18
      ? file.op("ReduceMean", [x], { axes, keepdims })
      : file.op("ReduceMean", [x, file.integers(axes)], { keepdims });
  const x = file.op("MatMul", [file.input("x", [5, 5]), file.floats([5, 5])]);
  const centred = file.op("Sub", [x, meanOf(x, mean, 1)]);
  const squares = meanOf(file.op("Mul", [centred, centred]), variance, keeps);
  const deviation = file.op("Sqrt", [file.op("Add", [squares, file.number(1e-3)])]);
  const { network } = await agreeingGraph(ops, file.file(file.op("Div", [centred, deviation])), file.inputs);
  return network.nodes.map(({ kind }) => kind);
}

t.test("a written-out normalization is one where both of its means are over the same axes", async (t) => {
  const isJoined = async (means: Means) => (await kindsOf(means)).includes("layer-norm");
  t.ok(await isJoined({}));
  t.ok(await isJoined({ opset: 18 }));
  t.ok(await isJoined({ mean: [1, 2], variance: [2, 1] }));
  t.notOk(await isJoined({ mean: [-1], variance: [1] }));
  t.notOk(await isJoined({ mean: [-1], variance: [1, 2] }));
  t.notOk(await isJoined({ opset: 18, mean: [2], variance: [1] }));
  t.notOk(await isJoined({ keeps: 0 }).catch(() => false), "what lost an axis meets others");
});
