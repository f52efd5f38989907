import t from "tap";
import { freeze } from "../../src/export/freeze.ts";
import { type FrozenNetwork, isFrozenLayer } from "../../src/export/frozen-network.ts";
import { Reference } from "../../src/export/reference.ts";
import { onlyInput } from "../../src/kinds/index.ts";
import { account } from "../../src/methods/bit-accounting.ts";
import { forward } from "../../src/network/passes.ts";
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
          layer.kind === "depthwise-conv2d" ? 1 : keptInputs,
          keptOutputs,
        ]),
        "channels are those that the account counts",
      );
      t.ok(parameters.kept < parameters.of);
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
