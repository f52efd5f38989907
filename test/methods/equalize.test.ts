import fc from "fast-check";
import t from "tap";
import type { Ops } from "../../src/engine/ops.ts";
import { type Network, onlyInput } from "../../src/kinds/index.ts";
import { inverseDeviation } from "../../src/kinds/norm-affine.ts";
import { equalizeLayers, withoutReluLimits } from "../../src/methods/equalize.ts";
import { NetworkBuilder } from "../../src/network/builder.ts";
import { forward } from "../../src/network/passes.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import { mobilenetv2 } from "../../src/network/zoo/mobilenetv2.ts";
import { cifarResNet } from "../../src/network/zoo/resnet-cifar.ts";
import { vgg7 } from "../../src/network/zoo/vgg7.ts";
import { createModel, type Model } from "../../src/training/model.ts";
import { passOf, soleInput } from "../../src/training/pass.ts";
import { anyEngine, near, random } from "../fixtures/engines.ts";

const cifar = { inputShape: [32, 32, 3], classes: 4 } as const;
const networks: Readonly<Record<string, Network>> = {
  "LeNet-5: biases, pooling, a flattened image": lenet5({ inputShape: [28, 28, 1], classes: 10, widths: [4, 6, 12] }),
  "VGG-7: batch normalization": vgg7({ ...cifar, widths: [4, 6, 8, 10] }),
  "ResNet-20: residual sums": cifarResNet("resnet20", 20, { ...cifar, widths: [4, 6, 8] }),
  "grouped convolutions": groupedNetwork(),
  "MobileNetV2 without ReLU6: depthwise convolutions": withoutReluLimits(mobilenetv2({ ...cifar, width: 0.1 })),
};

function groupedNetwork(): Network {
  const network = new NetworkBuilder();
  const options = { kernel: 3, groups: 2, inputs: 6, outputs: 8 };
  const stem = network.conv2d("stem", network.input([9, 8, 3]), { kernel: 1, inputs: 3, outputs: 6 });
  const grouped = network.conv2d("grouped", network.relu("stem.relu", stem), options);
  const next = network.conv2d("next", network.relu("grouped.relu", grouped), { ...options, inputs: 8, groups: 4 });
  const pooled = network.globalAveragePool("pool", network.relu("next.relu", next));
  const output = network.dense("fc", pooled, { inputs: 8, outputs: 4 });
  return network.build({ name: "grouped", outputs: [output] });
}

/** A model with all its numbers random, and channels of very different ranges. */
function randomModel(network: Network, ops: Ops, seed: number): Model {
  const model = createModel(network, { ops, seed, quantizers: new Map() });
  for (const [id, { shape }] of model.parameters) {
    const values = random(seed, id, shape, 0.5);
    const spread = random(seed, `${id}/spread`, [shape.at(-1)!], 2);
    ops.assign(
      model.parameters.get(id)!,
      values.map((value, index) => value * Math.exp(spread[index % spread.length]!)),
    );
  }
  for (const [id, { mean, variance }] of model.statistics) {
    mean.set(random(seed, `${id}/mean`, [mean.length]));
    variance.set(random(seed, `${id}/variance`, [variance.length]).map((value) => 1.5 + value));
  }
  return model;
}

const read = ({ ops, parameters }: Model): Map<string, Float32Array> =>
  new Map(
    Array.from(parameters, ([id, variable]) => [
      id,
      ops.scope(
        () => Float32Array.from(ops.read(ops.value(variable))),
        () => [],
      ),
    ]),
  );
const deviations = ({ statistics }: Model) =>
  new Map(Array.from(statistics, ([id, one]) => [id, inverseDeviation(one, 1e-5)]));
function logits(model: Model, seed: number): Float32Array {
  const { ops, network } = model;
  const shape = [2, ...onlyInput(network).shape];
  return ops.scope(
    () => {
      const pass = passOf(model, new Map(), soleInput(network, ops.tensor(random(seed, "images", shape), shape)), {
        training: false,
      });
      return Float32Array.from(ops.read(forward(network, pass, { keep: false }).outputs[0]!));
    },
    () => [],
  );
}

for (const [name, network] of Object.entries(networks)) {
  t.test(`equalized, a network computes the same (${name})`, async (t) => {
    const { ops } = await anyEngine();
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(fc.nat(1000), (seed) => {
          const model = randomModel(network, ops, seed);
          const before = logits(model, seed);
          const scale = Math.max(...before.map(Math.abs));
          const changed = equalizeLayers(network, { parameters: read(model), inverseDeviations: deviations(model) });
          if (changed.size === 0) throw new Error("nothing is equalized");
          for (const [id, values] of changed) ops.assign(model.parameters.get(id)!, values);
          near(
            logits(model, seed).map((value) => value / scale),
            before.map((value) => value / scale),
            1e-4,
          );
          for (const variable of model.parameters.values()) ops.dispose(variable);
        }),
        { seed: 1, numRuns: 4 },
      ),
    );
  });
}

t.test("both sides of a channel come to have the same range", async (t) => {
  const { ops } = await anyEngine();
  const network = networks["LeNet-5: biases, pooling, a flattened image"]!;
  const model = randomModel(network, ops, 5);
  const parameters = read(model);
  const changed = equalizeLayers(network, { parameters, inverseDeviations: new Map() });
  const [first, second] = ["conv1.weight", "conv2.weight"].map((id) => changed.get(id)!) as [
    Float32Array,
    Float32Array,
  ];
  const largest = (values: Float32Array, channelOf: (index: number) => number) => {
    const ranges = [0, 0, 0, 0];
    values.forEach((value, index) => {
      ranges[channelOf(index)] = Math.max(ranges[channelOf(index)]!, Math.abs(value));
    });
    return ranges;
  };
  const [outputs, inputs] = [
    largest(first, (index) => index % 4),
    largest(second, (index) => Math.floor(index / 6) % 4),
  ];
  t.doesNotThrow(() => near(outputs, inputs, 1e-3));
  t.ok(parameters.get("conv1.weight")!.every((value, index) => Number.isFinite(value) && value !== first[index]));
  for (const variable of model.parameters.values()) ops.dispose(variable);
});

t.test("ReLU6 lets no factor pass", async (t) => {
  const network = mobilenetv2({ ...cifar, width: 0.1 });
  const { ops } = await anyEngine();
  const model = randomModel(network, ops, 1);
  const changed = equalizeLayers(network, { parameters: read(model), inverseDeviations: deviations(model) });
  t.equal([...changed.keys()].filter((id) => id.includes("expand")).length, 0);
  for (const variable of model.parameters.values()) ops.dispose(variable);
});

t.test("a batch normalization lets no factor pass where it stands behind no layer", async (t) => {
  const { ops } = await anyEngine();
  const builder = new NetworkBuilder();
  const hidden = builder.relu("relu", builder.dense("fc1", builder.input([5]), { inputs: 5, outputs: 4 }));
  const normalized = builder.batchNorm("norm", hidden, { channels: 4 });
  const output = builder.dense("fc2", normalized, { inputs: 4, outputs: 3 });
  const network = builder.build({ name: "normalized-relu", outputs: [output] });
  const model = randomModel(network, ops, 2);
  const before = logits(model, 2);
  const changed = equalizeLayers(network, { parameters: read(model), inverseDeviations: deviations(model) });
  for (const [id, values] of changed) ops.assign(model.parameters.get(id)!, values);
  t.doesNotThrow(() => near(logits(model, 2), before, 1e-5));
  for (const variable of model.parameters.values()) ops.dispose(variable);
});
