import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Ops } from "../../src/engine/ops.ts";
import { type Network, onlyInput } from "../../src/kinds/index.ts";
import { evenPadding, NetworkBuilder } from "../../src/network/builder.ts";
import { createNetwork } from "../../src/network/zoo/index.ts";
import { cifarResNet } from "../../src/network/zoo/resnet-cifar.ts";
import { vgg7 } from "../../src/network/zoo/vgg7.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { freezeBatchNorm } from "../../src/quantizers/fold-batch-norm.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { computeGradients } from "../../src/training/gradients.ts";
import { createModel, type Model } from "../../src/training/model.ts";
import { testTimeGates } from "../../src/training/pass.ts";
import { engineKinds, near, random, upload } from "../fixtures/engines.ts";
import { classifying } from "../fixtures/tasks.ts";

const small = { inputShape: [8, 8, 2], classes: 3 } as const;
const networks: Readonly<Record<string, Network>> = {
  "VGG-7": vgg7({ ...small, widths: [4, 5, 6, 8] }),
  "ResNet-20 with shortcuts A": cifarResNet("resnet20", 20, { ...small, widths: [3, 4, 6] }),
  "ResNet-20 with shortcuts B": cifarResNet("resnet20", 20, { ...small, shortcut: "B", widths: [3, 4, 6] }),
  "inverted residuals": invertedResiduals(),
  "inverted residuals, frozen batch normalization": freezeBatchNorm(invertedResiduals()),
  "LeNet-5": createNetwork("lenet5", { inputShape: [28, 28, 1], classes: 3 }),
};
/** MobileNetV2's blocks, few of them: through all 52 layers, rounding errors grow to the size of the gradients. */
function invertedResiduals(): Network {
  const network = new NetworkBuilder();
  const normalized = (id: string, x: string, channels: number) => network.batchNorm(`${id}.norm`, x, { channels });
  const pointwise = (id: string, x: string, inputs: number, outputs: number) =>
    normalized(id, network.conv2d(id, x, { kernel: 1, inputs, outputs, bias: false }), outputs);
  const depthwise = (id: string, x: string, channels: number, stride: number) =>
    normalized(
      id,
      network.depthwiseConv2d(id, x, { kernel: 3, channels, stride, padding: evenPadding(1), bias: false }),
      channels,
    );
  let x = pointwise("stem", network.input(small.inputShape), 2, 4);
  for (const [block, stride] of [1, 2].entries()) {
    const wide = network.relu(`relu${block}`, pointwise(`expand${block}`, x, 4, 10), { limit: 6 });
    const filtered = network.relu(`filtered${block}`, depthwise(`depthwise${block}`, wide, 10, stride), { limit: 6 });
    const narrow = pointwise(`project${block}`, filtered, 10, 4);
    x = stride === 1 ? network.add(`sum${block}`, narrow, x) : narrow;
  }
  const output = network.dense("fc", network.globalAveragePool("pool", x), { inputs: 4, outputs: 3 });
  return network.build({ name: "inverted-residuals", outputs: [output] });
}

const open = { prune: 6, bits4: 6, bits8: 6, bits16: 6, bits32: 6 };

/** The model, with quantizers at 32 bits over ranges that nothing leaves: they change nothing. */
function modelOf(network: Network, ops: Ops): Model {
  const model = createModel(network, {
    ops,
    seed: 5,
    quantizers: createQuantizers(network, { pruning: true, initial: open, prior: "bop" }),
  });
  for (const quantizer of model.quantizers.values()) quantizer.range[0] = quantizer.node.limit ?? 1e4;
  for (const [id, { mean, variance }] of model.statistics) {
    mean.set(random(1, `${id}.mean`, [mean.length]));
    variance.set(random(1, `${id}.variance`, [mean.length]).map((value) => 1.5 + value));
  }
  // Scales of either sign: a channel may be turned round.
  for (const [id, variable] of model.parameters) {
    if (id.endsWith(".scale"))
      ops.assign(
        variable,
        random(1, id, variable.shape).map((v) => v + 0.3 * Math.sign(v)),
      );
  }
  return model;
}

const batch = 6;
function gradientsOf(model: Model): { loss: number; gradients: ReadonlyMap<string, Float32Array> } {
  const { ops, network } = model;
  return ops.scope(
    () => {
      const images = upload(ops, 2, "images", [batch, ...onlyInput(network).shape]).tensor;
      const targets = ops.tensor(
        Int32Array.from({ length: batch }, (_, image) => image % 3),
        [batch],
      );
      const { loss, parameters } = computeGradients(model, { images, targets: [targets] }, testTimeGates(model), {
        task: classifying(3),
        priorStrength: 0,
      });
      const read = Array.from(parameters, ([id, tensor]) => [id, Float32Array.from(ops.read(tensor))] as const);
      return { loss, gradients: new Map(read) };
    },
    () => [],
  );
}

for (const { kind, skip } of engineKinds) {
  t.test(`gradients of whole networks on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });

    for (const [name, network] of Object.entries(networks)) {
      t.test(`${name}: along a random direction the loss changes as the gradient says`, async (t) => {
        const model = modelOf(network, ops);
        const { gradients } = gradientsOf(model);
        const values = new Map(
          Array.from(model.parameters, ([id, variable]) => {
            const value = ops.scope(
              () => Float32Array.from(ops.read(ops.value(variable))),
              () => [],
            );
            return [id, value] as const;
          }),
        );
        const along = (step: number) => {
          for (const [id, variable] of model.parameters) {
            const direction = gradients.get(id);
            if (direction === undefined) continue;
            ops.assign(
              variable,
              values.get(id)!.map((value, i) => value + step * direction[i]!),
            );
          }
          return gradientsOf(model).loss;
        };
        const squared = Array.from(gradients.values(), (g) => g.reduce((sum, value) => sum + value * value, 0));
        const slope = squared.reduce((sum, value) => sum + value, 0);
        const step = 3e-4 / Math.sqrt(slope);
        const measured = (along(step) - along(-step)) / (2 * step);
        t.ok(Math.abs(measured / slope - 1) < 0.03, `measured ${measured}, the gradient says ${slope}`);
        for (const variable of model.parameters.values()) ops.dispose(variable);
      });
    }

    for (const name of ["VGG-7", "ResNet-20 with shortcuts B", "inverted residuals"]) {
      t.test(`${name}: folded, nothing changes`, async (t) => {
        const plain = modelOf(networks[name]!, ops);
        const folded = modelOf(insertQuantizers(networks[name]!), ops);
        const [expected, actual] = [gradientsOf(plain), gradientsOf(folded)];
        near([actual.loss], [expected.loss], 1e-3);
        for (const [id, gradient] of expected.gradients) {
          const largest = Math.max(1e-2, ...gradient.map(Math.abs));
          const scaled = (values: Float32Array) => values.map((value) => value / largest);
          t.doesNotThrow(() => near(scaled(actual.gradients.get(id)!), scaled(gradient), 0.02), id);
        }
        for (const [id, { mean, variance }] of plain.statistics) {
          near(folded.statistics.get(id)!.mean, mean, 1e-3);
          near(folded.statistics.get(id)!.variance, variance, 1e-2);
        }
        for (const { parameters } of [plain, folded]) for (const variable of parameters.values()) ops.dispose(variable);
      });
    }
  });
}
