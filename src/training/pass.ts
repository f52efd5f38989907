import { lookup } from "../core/lookup.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { Pass, RunningStatistics } from "../graph/node-kind.ts";
import { type Network, onlyInput } from "../kinds/index.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";
import { type GateSample, transparent } from "../quantizers/gate-sample.ts";
import type { Model } from "./model.ts";

type Quantized = Pick<Model, "quantizers">;

/** The gates of all quantizers in one pass. */
export type GateSamples = ReadonlyMap<NodeId, GateSample>;

/** How the gates of a model stand in a pass. */
export type GatesOf = (model: Model) => GateSamples;

/** Gates as drawn for a training step: `draw(quantizer, count)` gives uniform numbers, in the order asked for. */
export const drawGates = (
  model: Quantized,
  draw: (quantizer: NodeId, count: number) => ArrayLike<number>,
): GateSamples => gatesOf(model, (quantizer, id) => quantizer.sample((count) => draw(id, count)));

/** Gates at test time. */
export const testTimeGates = (model: Quantized): GateSamples => gatesOf(model, (quantizer) => quantizer.atTestTime());

/** Nothing is quantized. */
export const transparentGates = (model: Quantized): GateSamples => gatesOf(model, ({ node }) => transparent(node));

const gatesOf = ({ quantizers }: Quantized, of: (quantizer: Quantizer, id: NodeId) => GateSample): GateSamples =>
  new Map(Array.from(quantizers, ([id, quantizer]) => [id, of(quantizer, id)]));

/** What a pass is for. */
export type PassMode =
  | { readonly training: false }
  /** @param momentum How far running statistics move towards a batch's; PyTorch's default is 0.1. */
  | { readonly training: true; readonly momentum: number };

/** What goes into a network, by its input nodes, [batch, …]; a pass consumes it. */
export type Inputs = ReadonlyMap<NodeId, Tensor>;

/** What goes into a network that has one input. */
export const soleInput = (network: Network, input: Tensor): Inputs => new Map([[onlyInput(network).id, input]]);

/** A pass over `inputs` with the gates of `samples`. Call it inside a scope, which frees the gates it uploads. */
export function passOf(model: Model, samples: GateSamples, inputs: Inputs, mode: PassMode): Pass {
  const ops = mode.training ? model.trainingOps : model.ops;
  const factors = new Map<NodeId, Tensor>();
  for (const [id, { factor }] of samples) {
    if (factor === null) continue;
    const uploaded = ops.tensor(factor, [factor.length]);
    for (const node of lookup(model.quantizers, id).multiplies) factors.set(node, uploaded);
  }
  return {
    ops,
    training: mode.training,
    input: (id) => lookup(inputs, id),
    statistics: (norm) => lookup(model.statistics, norm),
    observe(norm, batch) {
      if (mode.training) move(lookup(model.statistics, norm), batch, mode.momentum);
    },
    parameter: (id) => ops.value(lookup(model.parameters, id)),
    quantizer: (id) => lookup(samples, id).parameters,
    factor: (id) => factors.get(id) ?? null,
    codes: (id) => model.codes.get(id)?.codes ?? null,
  };
}

/** Moves running statistics towards those of a batch. */
function move(running: RunningStatistics, batch: RunningStatistics, momentum: number): void {
  for (const kind of ["mean", "variance"] as const) {
    const values = running[kind];
    for (let channel = 0; channel < values.length; channel++) {
      values[channel]! += momentum * (batch[kind][channel]! - values[channel]!);
    }
  }
}
