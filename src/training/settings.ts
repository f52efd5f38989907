import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { Pass, RunningStatistics } from "../graph/node-kind.ts";
import type { Sample } from "../quantizers/gated-quantizer.ts";
import type { Model } from "./model.ts";

/** The samples of all quantizers for one pass. */
export type Samples = ReadonlyMap<NodeId, Sample>;

/** Gates as drawn for a training step: `draw(quantizer, count)` gives uniform numbers, in the order asked for. */
export function drawSamples(model: Model, draw: (quantizer: NodeId, count: number) => ArrayLike<number>): Samples {
  return new Map(
    Array.from(model.quantizers, ([id, quantizer]) => [id, quantizer.sample((count) => draw(id, count))] as const),
  );
}

/** Gates at test time. */
export const testSamples = (model: Model): Samples =>
  new Map(Array.from(model.quantizers, ([id, quantizer]) => [id, quantizer.atTestTime()] as const));

/** What a pass is for. */
export type PassMode =
  | { readonly training: false }
  /** @param momentum How far running statistics move towards a batch's; PyTorch's default is 0.1. */
  | { readonly training: true; readonly momentum: number };

/** A pass over `images` with the gates of `samples`. Call it inside a scope, which frees the gates it uploads. */
export function passOf(model: Model, samples: Samples, images: Tensor | null, mode: PassMode): Pass {
  const ops = mode.training ? model.trainingOps : model.ops;
  const gates = new Map<NodeId, Tensor>();
  for (const [id, { setting }] of samples) {
    if (setting.channelGates) gates.set(id, ops.tensor(setting.channelGates, [setting.channelGates.length]));
  }
  return {
    ops,
    training: mode.training,
    images,
    statistics: (norm) => model.statistics.get(norm)!,
    observe(norm, batch) {
      if (mode.training) move(model.statistics.get(norm)!, batch, mode.momentum);
    },
    parameter: (id) => ops.value(model.parameters.get(id)!),
    quantizer: (id) => samples.get(id)!.setting,
    channelGates: (id) => gates.get(id) ?? null,
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
