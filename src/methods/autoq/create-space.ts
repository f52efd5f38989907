import { at } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { mean } from "../../core/mean.ts";
import { square } from "../../core/powers.ts";
import type { NodeId } from "../../graph/graph.ts";
import { channelsOf } from "../../graph/shape.ts";
import type { Network } from "../../kinds/index.ts";
import { layersOf } from "../../network/layers.ts";
import { unquantizedBits } from "../../quantization/bit-operations.ts";
import { rowOf, type WeightMatrix } from "../../quantization/weight-grid.ts";
import type { Widths } from "../../quantization/width-actions.ts";
import { gatedNodes } from "../../quantizers/gated-nodes.ts";
import { layerStates, scaledColumns } from "./layer-state.ts";
import type { ActivationChoice, SearchSpace, SpaceLayer, Unit } from "./search-space.ts";

/** Of kernels in a layer, unless told otherwise. */
const GROUPS = 8;

/** How a network is divided into what is decided. */
export interface SpaceOptions {
  /** Weights of one width each, or kernels. */
  readonly level: "layer" | "kernel";
  /** Kernels of a layer are decided in so many groups at most, by their variance; null: each alone; undefined: 8. */
  readonly groups: number | null | undefined;
  readonly weightWidths: Widths;
  readonly activationWidths: Widths;
}

/**
 * What a search chooses from.
 *
 * @param network With quantizers.
 * @param weights Of each layer, output channel first.
 */
export function createSpace(
  network: Network,
  weights: ReadonlyMap<string, WeightMatrix>,
  { level, groups = GROUPS, weightWidths, activationWidths }: SpaceOptions,
): SearchSpace {
  const layers = layersOf(network);
  const states = layerStates(network);
  const variances = layers.map(({ name }) => variancesOf(lookup(weights, name)));
  const parts = variances.map((own) => unitsOf(own, level === "layer" ? 1 : groups));
  const scaled = scaledVariances(parts, variances);
  const prunable = gatedNodes(network);
  const keptWidths = weightWidths.filter((width) => width > 0);
  const firstReaders = new Map<NodeId, number>();
  const choices = layers.map((layer, index): ActivationChoice => {
    const { inputQuantizer } = layer;
    if (inputQuantizer === null) return { bits: unquantizedBits(layer) };
    if (!firstReaders.has(inputQuantizer)) firstReaders.set(inputQuantizer, index);
    return { decidedBy: lookup(firstReaders, inputQuantizer) };
  });
  return {
    layers: layers.map((layer, index): SpaceLayer => {
      const { inputs, outputs } = lookup(weights, layer.name);
      const { name, macs, weightQuantizer } = layer;
      const isPrunable = weightQuantizer !== null && prunable.has(weightQuantizer);
      const units = at(parts, index).map(
        (rows, unit, { length }): Unit => ({
          rows,
          widths: isPrunable && unit < length - 1 ? weightWidths : keptWidths,
          variance: at(at(scaled, index), unit),
        }),
      );
      return {
        ...{ name, macs, outputs, units },
        fanIn: inputs,
        biases: layer.shift === null ? 0 : channelsOf(layer.outputShape),
        state: at(states, index),
        activation: at(choices, index),
      };
    }),
    weightWidths,
    activationWidths,
  };
}

/** Variance of each kernel. */
function variancesOf({ values, outputs, inputs }: WeightMatrix): Float64Array {
  return Float64Array.from({ length: outputs }, (_, output) => {
    const kernel = rowOf(values, output, inputs);
    const middle = mean(kernel);
    return mean(Float64Array.from(kernel, (weight) => square(weight - middle)));
  });
}

/** The kernels of a layer in groups of nearly the same size, by rising variance. */
function unitsOf(variances: Float64Array, groups: number | null): readonly Uint32Array[] {
  const order = Uint32Array.from(variances.keys()).sort(
    (one, other) => at(variances, one) - at(variances, other) || one - other,
  );
  const count = Math.min(groups ?? order.length, order.length);
  const start = (group: number) => Math.round((group * order.length) / count);
  return Array.from({ length: count }, (_, group) => order.slice(start(group), start(group + 1)));
}

/** Logarithms of the units' mean variances, scaled to [0, 1] over the network. */
function scaledVariances(
  parts: readonly (readonly Uint32Array[])[],
  variances: readonly Float64Array[],
): readonly (readonly number[])[] {
  const means = parts.map((units, layer) =>
    units.map((rows) => Math.log(1e-12 + mean(Float64Array.from(rows, (row) => variances[layer]![row]!)))),
  );
  const scaled = scaledColumns(means.flat().map((own) => [own]));
  let next = 0;
  return means.map((units) => units.map(() => scaled[next++]?.[0] ?? 0));
}
