import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Ops } from "../../src/engine/ops.ts";
import { type Network, onlyInput } from "../../src/kinds/index.ts";
import { backward, forward } from "../../src/network/passes.ts";
import { createNetwork } from "../../src/network/zoo/index.ts";
import { cifarResNet } from "../../src/network/zoo/resnet-cifar.ts";
import { textEncoder } from "../../src/network/zoo/text-encoder.ts";
import { unet } from "../../src/network/zoo/unet.ts";
import { vitTiny } from "../../src/network/zoo/vit-tiny.ts";
import { createModel } from "../../src/training/model.ts";
import { passOf, soleInput, testTimeGates } from "../../src/training/pass.ts";
import { engineKinds, freeing, random } from "../fixtures/engines.ts";
import { passForKind } from "../fixtures/pass-for-kind.ts";
import { type TorchJob, torchGradients, torchMissing } from "../fixtures/torch-gradients.ts";

const BATCH = 6;
const classes = 3;
const image = { inputShape: [16, 16, 2], classes } as const;
const nearest = { width: 4, depth: 2, upsampling: "nearest" } as const;
const transposed = { ...nearest, upsampling: "transposed" } as const;
const vit = { patch: 4, depth: 2, width: 12, heads: 3 } as const;
const encoder = { width: 8, heads: 2, depth: 2 } as const;

/** Networks with what PyTorch's have to know of them. */
const networks: readonly (readonly [Network, object])[] = [
  [createNetwork("lenet5", { inputShape: [20, 18, 1], classes }), {}],
  [cifarResNet("resnet20", 20, { ...image, widths: [3, 4, 6] }), {}],
  [unet({ ...image, ...transposed }), transposed],
  [unet({ ...image, ...nearest }), nearest],
  [vitTiny({ ...image, ...vit }), vit],
  [textEncoder({ length: 7, vocabulary: 9, classes, ...encoder }), encoder],
];

/** One pass there and back over random weights, and what PyTorch is asked of the same. */
function passed(
  network: Network,
  options: object,
  ops: Ops,
): { readonly job: TorchJob; readonly own: ReadonlyMap<string, Float32Array> } {
  const model = createModel(network, { ops, seed: 3, quantizers: new Map() });
  const learned = new Set(
    network.nodes.flatMap((node) => (node.kind === "parameter" && node.role !== "constant" ? [node.id] : [])),
  );
  for (const [id, variable] of model.parameters) {
    if (id.endsWith(".scale") && learned.has(id))
      ops.assign(
        variable,
        random(3, id, variable.shape, 0.5).map((value) => 1 + value),
      );
  }
  const { shape, dtype } = onlyInput(network);
  const drawn = random(3, "inputs", [BATCH, ...shape]);
  // Every text begins with a token that is no padding.
  const tokens = Int32Array.from(drawn, (value, place) =>
    Math.max(place % shape[0]! === 0 ? 1 : 0, Math.floor(4.5 * (value + 1))),
  );
  const input = { shape: [BATCH, ...shape], values: dtype === "int32" ? tokens : drawn };
  return freeing(ops, () => {
    const pass = passOf(model, testTimeGates(model), soleInput(network, ops.tensor(input.values, input.shape)), {
      training: true,
      momentum: 0,
    });
    const trace = forward(network, pass, { keep: true });
    const [output] = trace.outputs;
    const upstream = { shape: [...output!.shape], values: random(3, "upstream", output!.shape) };
    const gradient = ops.tensor(upstream.values, upstream.shape);
    const found = backward(
      network,
      trace,
      [gradient],
      { ...passForKind(ops), ...pass, wantsFactor: () => false },
      ({ id }) => learned.has(id),
    );
    const weights = new Map(
      Array.from(learned, (id) => {
        const variable = model.parameters.get(id)!;
        return [id, { shape: variable.shape, values: Float32Array.from(ops.read(ops.value(variable))) }] as const;
      }),
    );
    const own = new Map(Array.from(learned, (id) => [id, Float32Array.from(ops.read(found.get(id)!))] as const));
    return { job: { network: network.name, options, weights, input, upstream }, own };
  });
}

/** What differences are a share of, at least: of the network's largest gradient. A key's bias has none but rounding errors. */
const LEAST = 1e-3;

for (const { kind, skip } of engineKinds) {
  t.test(`gradients of whole networks are PyTorch's (${kind})`, { skip: skip || torchMissing() }, async (t) => {
    const { ops } = await loadEngine({ kind });
    const all = networks.map(([network, options]) => passed(network, options, ops));
    const expected = torchGradients(
      t.testdir(),
      all.map(({ job }) => job),
    );
    for (const [index, { job, own }] of all.entries()) {
      const theirs = expected[index]!;
      const largest = (values: Iterable<number>) =>
        Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const most = Math.max(...Array.from(theirs.values(), largest));
      let worst = { share: 0, id: "" };
      for (const [id, gradient] of own) {
        const wanted = theirs.get(id)!;
        const share =
          largest(gradient.map((value, at) => value - wanted[at]!)) / Math.max(largest(wanted), LEAST * most);
        if (!(share <= worst.share)) worst = { share, id };
      }
      t.ok(worst.share < 1e-3, `${job.network}: ${worst.share.toExponential(1)} of ${worst.id}`);
    }
  });
}
