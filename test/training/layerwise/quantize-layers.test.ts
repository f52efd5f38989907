import t from "tap";
import type { Network } from "../../../src/kinds/index.ts";
import type { InitialValues } from "../../../src/network/initial-values.ts";
import { layersOf } from "../../../src/network/layers.ts";
import { forward } from "../../../src/network/passes.ts";
import { matrixOf, weightOf } from "../../../src/network/weight-matrix.ts";
import type { CalibrationImages } from "../../../src/training/layerwise/calibration-images.ts";
import { collectRows } from "../../../src/training/layerwise/layer-rows.ts";
import type { Model } from "../../../src/training/model.ts";
import { passOf, soleInput, testTimeGates } from "../../../src/training/pass.ts";
import { parameterValues } from "../../../src/training/snapshot.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { apart, begin, imagesFor, quantize, seed, trained } from "../../fixtures/layerwise.ts";
import { bytesOf, importBytes } from "../../fixtures/onnx/files.ts";
import { narrowNetworks } from "../../fixtures/random-models.ts";

const { ops } = await anyEngine();

function logits(model: Model, images: CalibrationImages): Float32Array {
  return ops.scope(
    () => {
      const pass = passOf(model, testTimeGates(model), soleInput(model.network, images.batches(model)[0]!()), {
        training: false,
      });
      return Float32Array.from(ops.read(forward(model.network, pass, { keep: false }).outputs[0]!));
    },
    () => [],
  );
}

const mobilenet = () => importBytes(bytesOf("keras-mobilenet"), [32, 32, 3]);
const networks: Readonly<Record<string, () => { network: Network; initial?: InitialValues | undefined }>> = {
  "residual, with batch normalization": () => ({ network: narrowNetworks["resnet20-B"]!() }),
  "depthwise, ReLU6, from a file": mobilenet,
  "flattened images": () => ({ network: narrowNetworks.lenet5!() }),
  "groups, dilations and unequal strides": () => ({ network: narrowNetworks["varied-windows"]!() }),
};

for (const [name, make] of Object.entries(networks)) {
  t.test(`${name}: the deployed network computes the same, and rows are what its layers do`, async (t) => {
    const { network, initial } = make();
    const { float, model, images, source } = begin(network, { name: "nearest" }, trained(network, initial));
    t.ok(apart(logits(float, images), logits(source, images)) < 1e-4, "batch normalization in weights and biases");
    t.ok(apart(logits(model, images), logits(float, images)) < 1e-6, "quantizers that wait change nothing");
    for (const layer of layersOf(float.network)) {
      const rows = collectRows(layer, { float, model }, { images, positions: 3, inputs: "float", seed });
      const weight = parameterValues(float, layer.weight);
      const { values, outputs, inputs } = matrixOf(layer, weight);
      const bias = parameterValues(float, layer.shift!.inputs[1]);
      const inner = outputs / rows.groups;
      const count = rows.samples * rows.positions;
      const computed = rows.targets.map((_, index) => {
        const row = Math.floor(index / inner);
        const output = Math.floor(row / count) * inner + (index % inner);
        let sum = bias[output]!;
        for (let n = 0; n < inputs; n++) sum += values[output * inputs + n]! * rows.inputs[row * inputs + n]!;
        return sum;
      });
      t.ok(apart(computed, rows.targets) < 1e-3, `${layer.name}: weights times patches plus bias`);
      t.ok(apart(weightOf(layer, values), weight) === 0, `${layer.name}: the matrix turns back into the weight`);
    }
  });
}

const small = { iterations: 30, learningRate: 0.05, batchSize: 4 };

t.test("weights hold steps times codes, and errors are not above nearest's", async (t) => {
  const { network, initial } = mobilenet();
  for (const settings of [
    { name: "nearest", bits: { weights: 4 }, biasCorrection: true },
    { name: "adaround", bits: { weights: 3 }, ...small },
    { name: "bit-split", bits: { weights: 2, firstLayer: 8 }, epochs: 5 },
  ]) {
    const { model, layers } = await quantize(network, settings, trained(network, initial));
    for (const [index, layer] of layersOf(model.network).entries()) {
      const { bits, error, nearestError } = layers[index]!;
      t.ok(error <= nearestError * 1.0001 + 1e-9, `${settings.name}, ${layer.name}: ${error} of ${nearestError}`);
      const quantizer = model.quantizers.get(layer.weightQuantizer!)!;
      t.equal(quantizer.bits, bits);
      const steps = quantizer.stored.get("grid/steps")!;
      const wrong = parameterValues(model, layer.weight).filter((value, at) => {
        const step = steps[at % steps.length]!;
        const code = Math.round(value / step);
        return Math.fround(step * code) !== value || Math.abs(code) > 2 ** (bits - 1) - 1;
      });
      t.equal(wrong.length, 0, `${layer.name} lies on its grid`);
    }
  }
});

t.test("an all-zero channel and a layer that sees nothing have finite grids, and both are told", async (t) => {
  const network = narrowNetworks.lenet5!();
  for (const settings of [{ name: "nearest" }, { name: "adaround", ...small }, { name: "bit-split", epochs: 5 }]) {
    const source = trained(network);
    const [conv1, conv2] = layersOf(network);
    const outputs = conv1!.weightShape.at(-1)!;
    const weight = parameterValues(source, conv1!.weight);
    ops.assign(
      source.parameters.get(conv1!.weight)!,
      weight.map((value, index) => (index % outputs === 0 ? 0 : value)),
    );
    // All that conv2 gives is below zero: what stands behind its ReLU sees nothing.
    const low = new Float32Array(conv2!.weightShape.at(-1)!).fill(-1e3);
    ops.assign(source.parameters.get(conv2!.shift!.inputs[1])!, low);
    const { model, layers, dead } = await quantize(network, settings, source);
    const silent = layers.filter(({ seen }) => seen === "zeros").map(({ name }) => name);
    t.strictSame(silent, ["fc1"], `${settings.name}: the layer behind sees only zeros`);
    t.strictSame(dead, ["conv2.quantizer"]);
    const steps = model.quantizers.get("conv1.weight.quantizer")!.stored.get("grid/steps")!;
    t.ok(steps.length > 0 && steps.every((step) => step > 0 && step < 1));
    t.ok(
      parameterValues(model, "fc1.weight").some((value) => value !== 0),
      "its codes follow its weights",
    );
    t.ok(logits(model, imagesFor(network)).every(Number.isFinite));
  }
});

t.test(
  "a layer that sees one and the same input every time is told of, and keeps steps like its weights",
  async (t) => {
    const network = narrowNetworks.lenet5!();
    const source = trained(network);
    const [conv1] = layersOf(network);
    // Without weights, conv1 gives its bias everywhere.
    const weights = source.parameters.get(conv1!.weight)!;
    ops.assign(weights, new Float32Array(conv1!.weightShape.reduce((product, length) => product * length, 1)));
    ops.assign(source.parameters.get(conv1!.shift!.inputs[1])!, new Float32Array(conv1!.weightShape.at(-1)!).fill(0.3));
    const { model, layers } = await quantize(network, { name: "bit-split", epochs: 20 }, source);
    t.strictSame(
      layers.map(({ seen }) => seen),
      ["inputs", "one-input", "one-input", "one-input"],
    );
    const steps = [...model.quantizers.values()].flatMap(({ stored }) => [...(stored.get("grid/steps") ?? [])]);
    t.ok(
      steps.every((step) => step > 0 && step <= 1),
      `${steps}`,
    );
  },
);

t.test("bit-widths of names and kinds that do not fit are refused", async (t) => {
  const network = narrowNetworks.lenet5!();
  const withTensors = (tensors: object) => () => begin(network, { name: "nearest", bits: { tensors } });
  t.throws(withTensors({ "conv9.quantizer": 4 }), /conv9\.quantizer is no quantizer/);
  t.throws(withTensors({ "conv1.quantizer": 3 }), /expected 4, 8, 16, 32 for the activation conv1\.quantizer, got 3/);
});
