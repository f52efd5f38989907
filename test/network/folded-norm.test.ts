import t from "tap";
import type { Ops } from "../../src/engine/ops.ts";
import type { Statistics } from "../../src/kinds/folded-norm.ts";
import type { Network } from "../../src/kinds/index.ts";
import { forward } from "../../src/network/passes.ts";
import { vgg7 } from "../../src/network/zoo/vgg7.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { createModel, type Model } from "../../src/training/model.ts";
import { type PassMode, passOf, soleInput, testTimeGates } from "../../src/training/pass.ts";
import { anyEngine, near, random } from "../fixtures/engines.ts";

const twoBits = { prune: 6, bits4: -6, bits8: -6, bits16: -6, bits32: -6 };
const plain = vgg7({ inputShape: [8, 8, 2], classes: 3, widths: [4, 5, 6, 8] });

function modelOf(network: Network, ops: Ops): Model {
  const quantizers = createQuantizers(network, { pruning: true, initial: twoBits, prior: "bop" });
  return createModel(network, { ops, seed: 5, quantizers });
}

/** What the nodes named give for the same images. */
function outputs(model: Model, ids: readonly string[], mode: PassMode): Float32Array[] {
  const { ops, network } = model;
  const found = new Map<string, Float32Array>();
  const samples = testTimeGates(model);
  ops.scope(
    () => {
      const images = ops.tensor(random(4, "images", [16, 8, 8, 2], 2), [16, 8, 8, 2]);
      const observe = ({ id }: { readonly id: string }, output: Parameters<Ops["read"]>[0]) => {
        if (ids.includes(id)) found.set(id, Float32Array.from(ops.read(output)));
      };
      forward(network, passOf(model, samples, soleInput(network, images), mode), { keep: false, observe });
    },
    () => [],
  );
  return ids.map((id) => found.get(id)!);
}

const training = { training: true, momentum: 0.1 } as const;

for (const statistics of ["every-position", "every-second-position"] as const satisfies readonly Statistics[]) {
  t.test(`${statistics}: a weight that its range cuts off entirely behaves in evaluation as in training`, async (t) => {
    const { ops } = await anyEngine();
    const model = modelOf(insertQuantizers(plain, { statistics }), ops);
    for (const [id, quantizer] of model.quantizers) quantizer.range[0] = id.includes("weight") ? 0.01 : 3;
    for (let step = 0; step < 100; step++) outputs(model, [], training);
    const [trained] = outputs(model, ["norm1"], training);
    const [evaluated] = outputs(model, ["norm1"], { training: false });
    t.doesNotThrow(() => near(evaluated!, trained!, 0.01));
  });
}

t.test("statistics of every second position are those of the unquantized output there", async (t) => {
  const { ops } = await anyEngine();
  const [raw] = outputs(modelOf(plain, ops), ["conv1"], { training: false });
  const model = modelOf(insertQuantizers(plain, { statistics: "every-second-position" }), ops);
  outputs(model, [], { training: true, momentum: 1 });
  const channels = 4;
  const values = Array.from({ length: channels }, (): number[] => []);
  for (const [at, value] of raw!.entries()) {
    const position = Math.floor(at / channels) % 64;
    if (position % 2 === 0 && Math.floor(position / 8) % 2 === 0) values[at % channels]!.push(value);
  }
  const means = values.map((list) => list.reduce((sum, value) => sum + value, 0) / list.length);
  const variances = values.map(
    (list, channel) => list.reduce((sum, value) => sum + (value - means[channel]!) ** 2, 0) / (list.length - 1),
  );
  const { mean, variance } = model.statistics.get("norm1")!;
  t.equal(values[0]!.length, 16 * 16);
  t.doesNotThrow(() => near(mean, means, 1e-4));
  t.doesNotThrow(() => near(variance, variances, 1e-4));
});
