import t from "tap";
import { ort } from "../../../src/core/onnx-runtime.ts";
import { GraphBuilder } from "../../../src/export/onnx/graph-builder.ts";
import { importNetwork } from "../../../src/network/onnx/import-network.ts";
import { forward } from "../../../src/network/passes.ts";
import { readModel } from "../../../src/onnx/onnx-model.ts";
import { createModel } from "../../../src/training/model.ts";
import { passOf, soleInput, testTimeGates } from "../../../src/training/pass.ts";
import { anyEngine, freeing, near, random } from "../../fixtures/engines.ts";
import { disposeModel } from "../../fixtures/random-models.ts";

/** Constants in front of, between and behind layers, on either side of their operators. */
function file(): Uint8Array {
  const graph = new GraphBuilder();
  const perChannel = (name: string, channels: number) =>
    graph.floats(
      name,
      random(3, name, [channels]).map((value) => 1.5 + value),
      [channels, 1, 1],
    );
  const chain = (operator: string, inputs: readonly string[]) =>
    graph.node(operator, inputs, { name: `${operator}.${inputs}` });
  const weight = (name: string, shape: readonly number[]) => graph.floats(name, random(4, name, shape), shape);
  let x = chain("Sub", ["x", perChannel("mean", 3)]);
  x = chain("Div", [x, perChannel("deviation", 3)]);
  const filtered = chain("Conv", [x, weight("filter", [4, 3, 1, 1])]);
  // Something else reads it: neither becomes a part of the layer.
  const scaled = chain("Mul", [perChannel("factor", 4), filtered]);
  const mirrored = chain("Sub", [graph.floats("two", [2], []), scaled]);
  const sum = chain("Add", [chain("Add", [mirrored, perChannel("summand", 4)]), filtered]);
  const flat = chain("Flatten", [chain("GlobalAveragePool", [sum])]);
  graph.node("Gemm", [flat, weight("classes", [4, 2])], { name: "logits" });
  const value = (name: string, shape: readonly (number | string)[]) => ({ name, shape });
  return graph.encode({
    ...{ name: "constants", doc: "", metadata: {} },
    inputs: [value("x", ["batch", 3, 2, 2])],
    outputs: [value("logits", ["batch", 2])],
  });
}

t.test("constants anywhere give what onnxruntime makes of them", async (t) => {
  const { ops } = await anyEngine();
  const bytes = file();
  const images = random(5, "images", [2, 3, 2, 2]);
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const { logits } = await session.run({ x: new ort.Tensor("float32", images, [2, 3, 2, 2]) });
  await session.release();
  const options = { file: "constants.onnx", name: "constants", inputShape: [2, 2, 3], classes: 2 } as const;
  const { network, initial } = importNetwork(readModel(bytes, options.file), options);
  const model = createModel(network, { ops, seed: 1, quantizers: new Map(), initial });
  const channelsLast = images.map((_, index) => {
    const [image, pixel, channel] = [Math.floor(index / 12), Math.floor(index / 3) % 4, index % 3];
    return images[(image * 3 + channel) * 4 + pixel]!;
  });
  const found = freeing(ops, () => {
    const inputs = soleInput(network, ops.tensor(channelsLast, [2, 2, 2, 3]));
    const pass = passOf(model, testTimeGates(model), inputs, { training: false });
    return Float32Array.from(ops.read(forward(network, pass, { keep: false }).outputs[0]!));
  });
  t.doesNotThrow(() => near(found, logits!.data as Float32Array, 1e-5));
  disposeModel(model);
});
