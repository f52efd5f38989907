import { first } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { BatchNormNode } from "../kinds/batch-norm.ts";
import { inverseDeviation } from "../kinds/norm-affine.ts";
import type { FreezePlace } from "./freeze-place.ts";
import type { FrozenAffine } from "./frozen-network.ts";

/** A batch normalization with its running statistics as x·scale + shift, and what it makes of constants. */
export function freezeAffine(
  node: BatchNormNode,
  { base, kept, sources, trained: { parameters, statistics } }: FreezePlace,
): { readonly affine: FrozenAffine; readonly constants: Float64Array } {
  const running = lookup(statistics, node.id);
  const inverse = inverseDeviation(running, node.epsilon);
  const scale = lookup(parameters, node.inputs[1]).map((gamma, channel) => gamma * inverse[channel]!);
  const shift = lookup(parameters, node.inputs[2]).map(
    (beta, channel) => beta - Math.fround(scale[channel]! * running.mean[channel]!),
  );
  return {
    affine: { ...base, kind: "affine", scale: pick(scale, kept), shift: pick(shift, kept) },
    constants: first(sources).constants.map((value, channel) => value * scale[channel]! + shift[channel]!),
  };
}

const pick = (values: Float32Array, indices: readonly number[]): Float32Array =>
  Float32Array.from(indices, (index) => values[index]!);
