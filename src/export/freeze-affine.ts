import { first } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { RunningStatistics } from "../graph/node-kind.ts";
import type { AffineNode } from "../kinds/affine.ts";
import type { BatchNormNode } from "../kinds/batch-norm.ts";
import { inverseDeviation } from "../kinds/norm-affine.ts";
import type { FreezePlace } from "./freeze-place.ts";
import type { FrozenAffine } from "./frozen-network.ts";

/** What a factor and a summand for each channel become, a batch normalization's with its running statistics, and what it makes of constants. */
export function freezeAffine(
  node: AffineNode | BatchNormNode,
  { base, kept, sources, trained: { parameters, statistics } }: FreezePlace,
): { readonly affine: FrozenAffine; readonly constants: Float64Array } {
  const [gamma, beta] = [lookup(parameters, node.inputs[1]), lookup(parameters, node.inputs[2])];
  const { scale, shift } =
    node.kind === "affine" ? { scale: gamma, shift: beta } : normalized(node, lookup(statistics, node.id), gamma, beta);
  return {
    affine: { ...base, kind: "affine", scale: pick(scale, kept), shift: pick(shift, kept) },
    constants: first(sources).constants.map((value, channel) => value * scale[channel]! + shift[channel]!),
  };
}

function normalized(
  { epsilon }: BatchNormNode,
  running: RunningStatistics,
  gamma: Float32Array,
  beta: Float32Array,
): Pick<FrozenAffine, "scale" | "shift"> {
  const inverse = inverseDeviation(running, epsilon);
  const scale = gamma.map((value, channel) => value * inverse[channel]!);
  const shift = beta.map((value, channel) => value - Math.fround(scale[channel]! * running.mean[channel]!));
  return { scale, shift };
}

const pick = (values: Float32Array, indices: readonly number[]): Float32Array =>
  Float32Array.from(indices, (index) => values[index]!);
