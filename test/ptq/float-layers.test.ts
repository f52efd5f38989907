import t from "tap";
import { kernelsOf } from "../../src/export/kernels.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { encodePlain, ints, node, type PlainModel, type PlainTensor } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

const tensor = (name: string, dims: readonly number[], values: readonly number[]): PlainTensor => ({
  ...{ name, dims, dataType: 1, rawData: new Uint8Array(Float32Array.from(values).buffer) },
});
/** Channels whose weights are of very different sizes: one step for all of them would round most to nothing. */
const uneven = (name: string, dims: readonly [number, number, number, number]): PlainTensor => {
  const values = new Float32Array(floats(name, dims).rawData!.slice().buffer);
  const size = values.length / dims[0];
  return tensor(
    name,
    dims,
    Array.from(values, (value, index) => value * 10 ** -(Math.floor(index / size) % 4)),
  );
};
const images = { inputs: [{ name: "x", shape: ["n", 8, 6, 6] }], outputs: [{ name: "y" }] };
const arrays = new Map([["x", sampleArray("x", [20, 8, 6, 6])]]);
const convolutions = (opset: number, bias: boolean): PlainModel => ({
  ...{ ...images, opset },
  nodes: [
    node("Conv", ["x", "w1"], "c1"),
    node("Conv", bias ? ["c1", "w2", "b2"] : ["c1", "w2"], "c2"),
    node("Conv", ["c2", "w3"], "y"),
  ],
  tensors: [floats("w1", [8, 8, 1, 1]), uneven("w2", [8, 8, 1, 1]), floats("w3", [8, 8, 1, 1]), floats("b2", [8])],
});

for (const opset of [10, 13, 21]) {
  for (const bias of [false, true]) {
    t.test(`a layer that is left alone computes with its own weights, opset ${opset}, bias ${bias}`, async (t) => {
      const skips = (name: string) => name === "c2";
      const { bytes, calibration, outputs } = await quantized(encodePlain(convolutions(opset, bias)), arrays, {
        ...{ activations: 8, skips },
      });
      await using all = await FileSession.load(bytes, "it.onnx");
      await using plain = await FileSession.load(bytes, "it.onnx", { optimization: "disabled" });
      for await (const { inputs } of calibration.samples.batches(calibration.order)) {
        const [one, other] = [await all.run(inputs), await plain.run(inputs)];
        const [got, expected] = [one.get("y")!.data, other.get("y")!.data] as [Float32Array, Float32Array];
        const step = Math.max(...expected.map(Math.abs)) / 100;
        const worst = Math.max(...got.map((value, index) => Math.abs(value - expected[index]!)));
        t.ok(worst <= 2 * step, `${worst} of ${step}`);
      }
      t.ok(outputs[0]!.sqnrDb! > 30, `${outputs[0]!.sqnrDb} dB`);
    });
  }
}

t.test(
  "a bias that is beyond its channel's steps makes them larger, and the kernel stays one of integers",
  async (t) => {
    const weights = new Float32Array(floats("w2", [8, 8, 1, 1]).rawData!.slice().buffer);
    const model = convolutions(13, true);
    const tensors = [
      ...model.tensors!.filter(({ name }) => name !== "w2" && name !== "b2"),
      tensor(
        "w2",
        [8, 8, 1, 1],
        Array.from(weights, (value, index) => (index < 8 ? 1e-9 * value : value)),
      ),
      tensor("b2", [8], [3, 0.1, 0.2, 0.3, 0, 0, 0, 0]),
    ];
    const { layers, encoded, outputs, bits } = await quantized(encodePlain({ ...model, tensors }), arrays, {
      activations: 8,
    });
    t.ok(layers.every(({ integer }) => integer));
    t.equal((await kernelsOf(encoded)).integer, 3);
    t.ok(outputs[0]!.sqnrDb! > 25, `${outputs[0]!.sqnrDb} dB`);
    const { scale } = bits.tensors.find(({ name }) => name === "w2")!;
    t.ok(Array.isArray(scale) && scale[0]! > 1e-8, "bits.json has the steps that were written");
  },
);

t.test("what is added behind a layer is its bias, of a product where it reads a matrix", async (t) => {
  for (const opset of [10, 13]) {
    const model: PlainModel = {
      opset,
      inputs: [
        { name: "x", shape: ["n", 8, 6, 6] },
        { name: "words", shape: ["n", 5, 8] },
      ],
      outputs: [{ name: "y" }, { name: "z" }, { name: "words-too" }],
      nodes: [
        node("Conv", ["x", "w1"], "c1"),
        node("Add", ["c1", "b1"], "a1"),
        node("ReduceMean", ["a1"], "mean", [ints("axes", [2, 3])]),
        node("Reshape", ["mean", "flat"], "row"),
        node("MatMul", ["row", "w2"], "p"),
        node("Add", ["b2", "p"], "a2"),
        node("MatMul", ["a2", "w2"], "y"),
        node("MatMul", ["words", "w3"], "q"),
        node("Add", ["q", "b2"], "z"),
        node("Add", ["a1", "b1"], "words-too"),
      ],
      tensors: [
        floats("w1", [8, 8, 1, 1]),
        floats("b1", [8, 1, 1]),
        floats("w2", [8, 8]),
        floats("b2", [8]),
        floats("w3", [8, 8]),
        { name: "flat", dims: [2], dataType: 7, rawData: new Uint8Array(BigInt64Array.of(-1n, 8n).buffer) },
      ],
    };
    const own = new Map([...arrays, ["words", sampleArray("words", [20, 5, 8])]]);
    const { bytes, layers, outputs, interfaces } = await quantized(encodePlain(model), own, { activations: 8 });
    t.strictSame(interfaces[1], interfaces[0], "names, types and sizes stay");
    const kinds = readModel(bytes, "it").graph.node.map(({ opType }) => opType);
    t.equal(kinds.filter((kind) => kind === "Add").length, 2, "words have three axes, and a sum is read twice");
    t.equal(kinds.filter((kind) => kind === "Gemm").length, 1);
    t.ok(layers.every(({ integer }) => integer));
    for (const { name, sqnrDb } of outputs) t.ok(sqnrDb! > 30, `${name}: ${sqnrDb} dB`);
  }
});
