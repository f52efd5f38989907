import { first } from "../../core/elements.ts";
import type { ChannelSums } from "../../quantization/channel-sums.ts";
import { Gram } from "../../quantization/gram.ts";
import { rowOf } from "../../quantization/weight-grid.ts";
import type { LayerProblem } from "./layer-problem.ts";

/** The sums of each group's rows, before the activation and without bias. */
export function layerGrams({ weight, bias, rows }: LayerProblem): readonly Gram[] {
  const outputs = weight.outputs / rows.groups;
  const count = rows.samples * rows.positions;
  return Array.from({ length: rows.groups }, (_, group) => {
    const gram = new Gram(weight.inputs, outputs);
    gram.add(
      rowOf(rows.inputs, group, count * weight.inputs),
      rowOf(rows.targets, group, count * outputs),
      bias && rowOf(bias, group, outputs),
    );
    return gram.finish();
  });
}

/** What one output channel needs of them. */
export function channelSums(grams: readonly Gram[], output: number): ChannelSums {
  const { outputs } = first(grams);
  const gram = grams[Math.floor(output / outputs)]!;
  const channel = output % outputs;
  return {
    products: gram.products,
    cross: rowOf(gram.cross, channel, gram.inputs),
    energy: gram.energy[channel]!,
  };
}
