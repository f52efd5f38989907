import t from "tap";
import { freeze } from "../../../src/export/freeze.ts";
import { lower } from "../../../src/export/onnx/lower.ts";
import { outputName } from "../../../src/export/onnx/model-frame.ts";
import { RuntimeModel } from "../../../src/export/runtime.ts";
import { onlyInput } from "../../../src/kinds/index.ts";
import { importNetwork } from "../../../src/network/onnx/import-network.ts";
import { forward } from "../../../src/network/passes.ts";
import { readModel } from "../../../src/onnx/onnx-model.ts";
import { createModel } from "../../../src/training/model.ts";
import { passOf, soleInput } from "../../../src/training/pass.ts";
import { concatNetwork } from "../../fixtures/concat-network.ts";
import { anyEngine, freeing, nativeMissing, near, random } from "../../fixtures/engines.ts";
import { disposeModel, freezeInput, randomModel } from "../../fixtures/random-models.ts";

const { ops } = await anyEngine();
const batch = 5;

/** A file with Concat nodes: of images, of a flattened image with another and a vector. */
function fileWithConcats(): Uint8Array {
  const network = concatNetwork();
  const model = randomModel(ops, { network, seed: 4 });
  const frozen = freeze({ ...freezeInput(model), network, quantizers: new Map() });
  disposeModel(model);
  return lower(frozen, "fp32", { input: "float", metadata: {} }).bytes;
}

const importBytes = (bytes: Uint8Array) =>
  importNetwork(readModel(bytes, "model.onnx"), {
    file: "model.onnx",
    name: "model",
    inputShape: [8, 9, 3],
    classes: 4,
  });

t.test("a network with Concat of channels gives what onnxruntime gives", { skip: nativeMissing() }, async (t) => {
  const bytes = fileWithConcats();
  const { network, initial } = importBytes(bytes);
  t.equal(network.nodes.filter(({ kind }) => kind === "concat").length, 3);
  const model = createModel(network, { ops, seed: 1, quantizers: new Map(), initial });
  const shape = [batch, ...onlyInput(network).shape];
  const pixels = random(6, "images", shape);
  const logits = freeing(ops, () => {
    const inputs = soleInput(network, ops.tensor(pixels, shape));
    const [output] = forward(network, passOf(model, new Map(), inputs, { training: false }), { keep: false }).outputs;
    return Float32Array.from(ops.read(output!));
  });
  const [, height, width, channels] = shape as [number, number, number, number];
  const channelsFirst = pixels.map((_, index) => {
    const pixel = index % (height * width);
    const plane = Math.floor(index / (height * width));
    const [image, channel] = [Math.floor(plane / channels), plane % channels];
    return pixels[(image * height * width + pixel) * channels + channel]!;
  });
  const runtime = await RuntimeModel.load(bytes, "model.onnx");
  const results = await runtime.run(channelsFirst, [batch, channels, height, width]);
  await runtime.release();
  t.doesNotThrow(() => near(logits, results.get(outputName) as Float32Array, 1e-4));
  disposeModel(model);
});

t.test("sizes that do not fit are refused", async (t) => {
  const model = readModel(fileWithConcats(), "model.onnx");
  const joins = model.graph.node.find(({ opType }) => opType === "Concat")!;
  joins.attribute.find(({ name }) => name === "axis")!.i = 2n;
  t.throws(() => importNetwork(model, { file: "model.onnx", name: "model", inputShape: [8, 9, 3], classes: 4 }), {
    message: /it joins \[batch, 5, 8, 9\], \[batch, 4, 8, 9\] along axis 2/,
  });
});
