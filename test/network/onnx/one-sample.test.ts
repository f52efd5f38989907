import t from "tap";
import { ort } from "../../../src/core/onnx-runtime.ts";
import { verifyImport } from "../../../src/export/verify-import.ts";
import { importGraph, importNetwork } from "../../../src/network/onnx/import-network.ts";
import { forward } from "../../../src/network/passes.ts";
import { readModel } from "../../../src/onnx/onnx-model.ts";
import { createModel } from "../../../src/training/model.ts";
import { passOf } from "../../../src/training/pass.ts";
import { anyEngine, freeing, near, random } from "../../fixtures/engines.ts";
import { FileWriter } from "../../fixtures/onnx/file-writer.ts";
import { agreeingGraph } from "../../fixtures/onnx/graph-agreement.ts";
import { encodePlain, node } from "../../fixtures/onnx/plain-model.ts";
import { disposeModel } from "../../fixtures/random-models.ts";

const { ops } = await anyEngine();

t.test("what a file makes of one sample, with 1 written for the batch, is made of each", async (t) => {
  const file = new FileWriter(13);
  const sample = [3, 4, 5];
  const conv = file.op("Conv", [file.input("x", sample), file.floats([6, 3, 1, 1])], { kernel_shape: [1, 1] });
  const rows = file.op("Reshape", [conv, file.integers([1, 6, -1])]);
  const bytes = file.file(file.op("Transpose", [rows], { perm: [0, 2, 1] }));

  const { network, initial, inputs, outputs } = importGraph(readModel(bytes, "it.onnx"), {
    file: "it.onnx",
    name: "it",
  });
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const count = 3;
  const samples = Array.from({ length: count }, (_, index) => random(index, "sample", sample));
  const expected: number[] = [];
  for (const values of samples) {
    const results = await session.run({ x: new ort.Tensor("float32", values, [1, ...sample]) });
    expected.push(...(results[outputs[0]!]!.data as Float32Array));
  }
  await session.release();
  const model = createModel(network, { ops, seed: 1, quantizers: new Map(), initial });
  freeing(ops, () => {
    const values = Float32Array.from(samples.flatMap((own) => [...own]));
    const tensors = new Map([[inputs[0]!.node, ops.tensor(values, [count, ...sample])]]);
    const [output] = forward(network, passOf(model, new Map(), tensors, { training: false }), { keep: false }).outputs;
    t.strictSame(output!.shape, [count, 20, 6]);
    near(ops.read(output!), Float32Array.from(expected), 1e-5);
  });
  disposeModel(model);
});

t.test("a leading 1 that is an axis stays one", async (t) => {
  // One token, sequence first: [batch, 1, 8] turned, in heads, and back.
  const file = new FileWriter(13);
  const turned = file.op("Transpose", [file.input("x", [1, 8])], { perm: [1, 0, 2] });
  const layer = file.op("MatMul", [turned, file.floats([8, 8])]);
  const heads = file.op("Reshape", [layer, file.integers([1, -1, 4])]);
  const whole = file.op("Reshape", [heads, file.integers([1, -1, 8])]);
  const bytes = file.file(file.op("Transpose", [whole], { perm: [1, 0, 2] }));
  await t.resolves(agreeingGraph(ops, bytes, file.inputs));
  // The batch among what a softmax goes over.
  const mixing = new FileWriter(13);
  const rows = mixing.op("MatMul", [mixing.input("x", [8]), mixing.floats([8, 8])]);
  const softmax = mixing.op("Softmax", [mixing.op("Reshape", [rows, mixing.integers([1, -1, 4])])], { axis: 1 });
  const mixed = mixing.file(mixing.op("Reshape", [softmax, mixing.integers([-1, 8])]));
  await t.rejects(agreeingGraph(ops, mixed, mixing.inputs), { message: /not supported/ });
});

t.test("weights in Constant nodes are the file's own, however large", async (t) => {
  const shape = [2100, 2000];
  const value = { dims: shape, dataType: 1, rawData: new Uint8Array(4 * 2100 * 2000).fill(1) };
  const bytes = encodePlain({
    ...{ inputs: [{ name: "x", shape: ["n", 2100] }], outputs: [{ name: "y" }], opset: 13, tensors: [] },
    nodes: [node("Constant", [], "w", [{ name: "value", type: 4, t: value }]), node("MatMul", ["x", "w"], "y")],
  });
  t.doesNotThrow(() => importGraph(readModel(bytes, "it.onnx"), { file: "it.onnx", name: "it" }));
});

t.test("-1 is a size that a file leaves open", async (t) => {
  const tensors = [{ name: "w", dims: [2, 3, 1, 1], dataType: 1, floatData: [1, 2, 3, 4, 5, 6] }];
  const nodes = [
    node("Conv", ["x", "w"], "mixed"),
    node("GlobalAveragePool", ["mixed"], "means"),
    node("Flatten", ["means"], "y"),
  ];
  const bytes = encodePlain({
    ...{ opset: 13, tensors, nodes, outputs: [{ name: "y", shape: [-1, 2] }] },
    inputs: [{ name: "x", shape: [-1, 3, -1, -1] }],
  });
  const options = { file: "it.onnx", name: "it", inputShape: [4, 5, 3], classes: 2 } as const;
  const imported = importNetwork(readModel(bytes, "it.onnx"), options);
  t.equal(imported.layout.batch, null);
  await t.resolves(verifyImport({ ...imported, path: "it.onnx", bytes, inputShape: [4, 5, 3], classes: 2 }, ops));
});
