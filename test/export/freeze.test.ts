import t from "tap";
import { freeze } from "../../src/export/freeze.ts";
import { type FrozenNetwork, isFrozenLayer } from "../../src/export/frozen-network.ts";
import { Reference } from "../../src/export/reference.ts";
import { valuesOf } from "../../src/export/tensor-values.ts";
import { onlyInput } from "../../src/kinds/index.ts";
import { account } from "../../src/methods/bit-accounting.ts";
import { forward } from "../../src/network/passes.ts";
import { bitWidths } from "../../src/quantization/levels.ts";
import type { Model } from "../../src/training/model.ts";
import { passOf, soleInput, testTimeGates } from "../../src/training/pass.ts";
import { anyEngine, random } from "../fixtures/engines.ts";
import { disposeModel, freezeInput, freezeModel, narrowNetworks, randomModel } from "../fixtures/random-models.ts";

const { ops } = await anyEngine();
const images = 6;

/** Logits of the masked network and of the one with its channels cut out, for the same images. */
function logits(model: Model, frozen: FrozenNetwork) {
  const shape = [images, ...onlyInput(model.network).shape];
  const pixels = random(9, "images", shape);
  const reference = new Reference(ops, frozen);
  const read = ops.scope(
    () => {
      const pass = passOf(model, testTimeGates(model), soleInput(model.network, ops.tensor(pixels, shape)), {
        training: false,
      });
      const masked = Float32Array.from(ops.read(forward(model.network, pass, { keep: false }).outputs[0]!));
      const cut = Float32Array.from(ops.read(reference.logits(ops.tensor(pixels, shape))));
      return { masked, cut };
    },
    () => [],
  );
  reference.release();
  return read;
}

for (const [name, network] of Object.entries(narrowNetworks)) {
  t.test(`${name}: the pruned network is the masked one`, async (t) => {
    const live = ops.liveTensors();
    const deep = name === "mobilenetv2";
    for (let seed = 1; seed <= 8; seed++) {
      // Of 32 bits alone, logits are compared as numbers: one code that falls on the other side moves all behind it.
      const model = randomModel(ops, {
        network: network(),
        seed,
        bits: seed % 2 === 0 ? [32] : deep ? [16, 32] : [8, 16, 32],
        pruned: seed / 9,
        quantizeAddends: seed === 4,
        granularity: seed > 6 ? (seed === 7 ? "channel" : { group: 3 }) : "tensor",
        weightRanges: seed === 7 ? "per-channel" : "per-tensor",
      });
      const frozen = freezeModel(model);
      const { masked, cut } = logits(model, frozen);
      const largest = Math.max(...masked.map(Math.abs));
      const worst = Math.max(...masked.map((value, index) => Math.abs(value - cut[index]!))) / largest;
      t.ok(worst < (seed % 2 === 0 ? 1e-4 : 0.05), `seed ${seed}: logits differ by ${worst.toExponential(1)}`);

      const { layers, parameters } = account(model.network, model.quantizers);
      const kept = frozen.nodes.filter(isFrozenLayer);
      t.strictSame(
        kept.map(({ id, weight }) => [id, weight.shape.at(-2), weight.shape.at(-1)]),
        layers.map(({ layer, keptInputs, keptOutputs }) => [
          layer.name,
          layer.node.kind === "depthwise-conv2d"
            ? 1
            : keptInputs / (layer.node.kind === "conv2d" ? layer.node.groups : 1),
          keptOutputs,
        ]),
        "channels are those that the account counts",
      );
      // Of few closed gates, all may be of channels that stay for others.
      t.ok(parameters.kept < parameters.of || seed === 1);
      disposeModel(model);
    }
    t.equal(ops.liveTensors(), live, "no tensor is left");
  });
}

t.test("a network without quantizers freezes with its batch normalization in the weights", async (t) => {
  const model = randomModel(ops, { network: narrowNetworks.mobilenetv2!(), seed: 3 });
  const network = narrowNetworks.mobilenetv2!();
  const frozen = freeze({ ...freezeInput(model), network, quantizers: new Map() });
  t.notOk(frozen.nodes.some(({ kind }) => kind === "quantizer" || kind === "affine"));
  const { masked, cut } = logits({ ...model, network, quantizers: new Map() }, frozen);
  const largest = Math.max(...masked.map(Math.abs));
  masked.forEach((value, index) => {
    t.ok(Math.abs(value - cut[index]!) < 1e-4 * largest);
  });
  disposeModel(model);
});

t.test("a layer without channels is refused by name", async (t) => {
  const model = randomModel(ops, { network: narrowNetworks.lenet5!(), seed: 3 });
  model.quantizers.get("conv2.weight.quantizer")!.prune!.fill(-6);
  t.throws(() => freezeModel(model), { message: /cannot export conv2: all its 6 channels are pruned/ });
  disposeModel(model);
});

t.test("a residual branch without channels is a block without effect, not an error", async (t) => {
  const model = randomModel(ops, { network: narrowNetworks["resnet20-A"]!(), seed: 4, bits: [32], pruned: 0 });
  model.quantizers.get("stage1.block2.conv2.weight.quantizer")!.prune!.fill(-6);
  const { masked, cut } = logits(model, freezeModel(model));
  const largest = Math.max(...masked.map(Math.abs));
  t.ok(masked.every((value, index) => Math.abs(value - cut[index]!) < 1e-4 * largest));
  disposeModel(model);
});

t.test(
  "channels of the frozen weights have the widths and values that training has, in float32 where one has 32",
  async (t) => {
    for (const weightRanges of ["per-tensor", "per-channel"] as const) {
      for (const bits of [[2, 4, 8], bitWidths] as const) {
        const model = randomModel(ops, {
          network: narrowNetworks.vgg7!(),
          seed: 3,
          bits,
          granularity: "channel",
          weightRanges,
        });
        const { network, quantizers } = model;
        const layers = new Map(account(network, quantizers).layers.map((account) => [account.layer.name, account]));
        const weights = new Map<string, ArrayLike<number>>();
        ops.scope(
          () => {
            const shape = [1, ...onlyInput(network).shape];
            const inputs = soleInput(network, ops.tensor(random(2, "images", shape), shape));
            forward(network, passOf(model, testTimeGates(model), inputs, { training: false }), {
              keep: false,
              observe: ({ id }, output) => {
                if (quantizers.get(id)?.node.role === "weight") weights.set(id, Float32Array.from(ops.read(output)));
              },
            });
          },
          () => [],
        );
        for (const { id, weight, keptOutputs } of freezeModel(model).nodes.filter(isFrozenLayer)) {
          const { layer, channelBits } = layers.get(id)!;
          const widths = keptOutputs.map((channel) => channelBits![channel]);
          if (weight.bits === 32) t.ok(widths.includes(32), id);
          else t.strictSame(Array.from(weight.channelBits!), widths, id);
          // The frozen network has lost rows of inputs: channel by channel, its values are among the trainer's.
          const trained = weights.get(layer.weightQuantizer!)!;
          const values = valuesOf(weight);
          const outputs = layer.weightShape.at(-1)!;
          for (const [place, channel] of keptOutputs.entries()) {
            const known = Array.from(trained).filter((_, index) => index % outputs === channel);
            const own = values.filter((_, index) => index % keptOutputs.length === place);
            const largest = Math.max(...known.map(Math.abs));
            const isThere = (value: number) => known.some((other) => Math.abs(value - other) <= 2e-6 * largest);
            if (channelBits![channel] === 16) continue;
            t.ok(own.every(isThere), `${id}, channel ${channel} at ${channelBits![channel]} bits`);
          }
        }
        disposeModel(model);
      }
    }
  },
);
