import { at, first, last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { RunningStatistics } from "../graph/node-kind.ts";
import { commonShape, elementsOf } from "../graph/shape.ts";
import type { AffineNode } from "../kinds/affine.ts";
import type { BatchNormNode } from "../kinds/batch-norm.ts";
import { inverseDeviation } from "../kinds/norm-affine.ts";
import { broadcast, walk } from "../network/onnx/strided.ts";
import type { FreezePlace } from "./freeze-place.ts";
import type { FrozenAffine } from "./frozen-network.ts";

/** What a factor and a summand for each channel become, a batch normalization's with its running statistics, and what it makes of constants. */
export function freezeAffine(
  node: AffineNode | BatchNormNode,
  place: FreezePlace,
): { readonly affine: FrozenAffine; readonly constants: Float64Array } {
  if (node.kind === "affine" && node.shaped) return freezeShaped(node, place);
  const { base, kept, sources, trained } = place;
  const { parameters, statistics } = trained;
  const [gamma, beta] = [lookup(parameters, node.inputs[1]), lookup(parameters, node.inputs[2])];
  const { scale, shift } =
    node.kind === "affine" ? { scale: gamma, shift: beta } : normalized(node, lookup(statistics, node.id), gamma, beta);
  return {
    affine: { ...base, kind: "affine", scale: pick(scale, kept), shift: pick(shift, kept), shape: [kept.length] },
    constants: first(sources).constants.map((value, channel) => value * scale[channel]! + shift[channel]!),
  };
}

/** Scale and shift written out in the shape that both are repeated to; no channel of what it reads is cut out. */
function freezeShaped(
  { inputs: [, scale, shift] }: AffineNode,
  { base, shape, shapes, trained: { parameters } }: FreezePlace,
): { readonly affine: FrozenAffine; readonly constants: Float64Array } {
  const own = [lookup(shapes, scale), lookup(shapes, shift)] as const;
  const repeated = commonShape(...own) ?? shape;
  // One axis is that of the channels.
  const common = repeated.length === 1 ? [last(shape)] : repeated;
  const written = [scale, shift].map((id, index) => {
    const view = broadcast(at(own, index), common);
    const values = lookup(parameters, id);
    const result = new Float32Array(elementsOf(common));
    if (view !== null) walk(view, (from, to) => (result[to] = at(values, from)));
    return result;
  });
  return {
    affine: { ...base, kind: "affine", scale: at(written, 0), shift: at(written, 1), shape: common },
    constants: new Float64Array(last(shape)),
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
