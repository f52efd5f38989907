import { first } from "../../core/elements.ts";
import type { Ops } from "../../engine/ops.ts";
import type { ChannelSums } from "../../quantization/channel-sums.ts";
import type { GramSums } from "../../quantization/gram.ts";
import { rowOf } from "../../quantization/weight-grid.ts";
import type { LayerProblem } from "./layer-problem.ts";

/** The sums of each group's rows, before the activation and without bias. */
export function layerGrams({ weight, bias, rows }: LayerProblem, ops: Ops): readonly GramSums[] {
  const { groups, inputs, targets } = rows;
  const outputs = weight.outputs / groups;
  const count = rows.samples * rows.positions;
  return ops.scope(
    () =>
      ops
        .extension("leastSquares")
        .grams(
          ops.tensor(inputs, [groups, count, weight.inputs]),
          ops.tensor(targets, [groups, count, outputs]),
          bias && ops.tensor(bias, [groups, 1, outputs]),
        ),
    () => [],
  );
}

/** What one output channel needs of them. */
export function channelSums(grams: readonly GramSums[], output: number): ChannelSums {
  const outputs = first(grams).energy.length;
  const { products, cross, energy } = grams[Math.floor(output / outputs)]!;
  const channel = output % outputs;
  return { products, cross: rowOf(cross, channel, cross.length / outputs), energy: energy[channel]! };
}
