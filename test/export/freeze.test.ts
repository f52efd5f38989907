import t from "tap";
import { uniforms } from "../../src/engine/noise.ts";
import { freeze } from "../../src/export/freeze.ts";
import type { FrozenLayer } from "../../src/export/frozen-network.ts";
import { Reference } from "../../src/export/reference.ts";
import { createQuantizers } from "../../src/methods/create-quantizers.ts";
import { insertQuantizers } from "../../src/methods/insert-quantizers.ts";
import { forward } from "../../src/network/passes.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import { createModel } from "../../src/training/model.ts";
import { passOf, testSamples } from "../../src/training/settings.ts";
import { anyEngine } from "../fixtures/engines.ts";

const { ops } = await anyEngine();
const initial = { prune: 6, bits4: 6, bits8: 6, bits16: -6, bits32: -6 };

function lenet() {
  const network = insertQuantizers(lenet5({ inputShape: [28, 28, 1], classes: 10, widths: [6, 8, 16] }), {
    pruning: true,
  });
  return createModel(network, { ops, seed: 3, quantizers: createQuantizers(network, { initial, prior: "bop" }) });
}

function frozen({ network, parameters, quantizers }: ReturnType<typeof lenet>) {
  const values = new Map(
    Array.from(
      parameters,
      ([id, variable]) =>
        [
          id,
          ops.scope(
            () => ops.read(ops.value(variable)) as Float32Array,
            () => [],
          ),
        ] as const,
    ),
  );
  return freeze({
    network,
    quantizers,
    parameters: values,
    classes: [..."0123456789"],
    normalization: { mean: [0], deviation: [1] },
  });
}

t.test("the pruned network classifies as the masked one: constants of pruned channels are not lost", (t) => {
  const model = lenet();
  model.quantizers.get("conv1.weight.quantizer")!.prune!.set([-6, 6, 6, -6, 6, 6]);
  model.quantizers.get("conv2.weight.quantizer")!.prune!.set([6, -6, -6, 6, 6, 6, 6, -6]);
  model.quantizers.get("fc1.weight.quantizer")!.prune!.fill(-6, 0, 5);
  const network = frozen(model);
  const layers = network.nodes.filter((node): node is FrozenLayer => node.kind === "conv2d" || node.kind === "dense");
  t.strictSame(
    layers.map(({ weight }) => weight.shape),
    [
      [5, 5, 1, 4],
      [5, 5, 4, 5],
      [80, 11],
      [11, 10],
    ],
  );

  const images = 64;
  const pixels = Float32Array.from(uniforms({ seed: 1, stream: "images", counter: 0 }, images * 784));
  const tensor = () => ops.tensor(pixels, [images, 28, 28, 1]);
  const masked = ops.scope(
    () =>
      ops.read(
        ops.argMax(
          forward(model.network, passOf(model, testSamples(model), tensor(), { training: false }), { keep: false })
            .output,
        ),
      ),
    () => [],
  );
  const reference = new Reference(ops, network);
  const cut = ops.scope(
    () => reference.classify(tensor()),
    () => [],
  );
  reference.release();
  const same = masked.filter((label: number, image: number) => label === cut[image]).length;
  t.ok(same >= images - 1, `${same} of ${images} images get the same class`);
  t.end();
});

t.test("a layer without channels is refused by name", (t) => {
  const model = lenet();
  model.quantizers.get("conv2.weight.quantizer")!.prune!.fill(-6);
  t.throws(() => frozen(model), { message: /cannot export conv2: all its 8 channels are pruned/ });
  t.end();
});
