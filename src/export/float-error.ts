import { applyByKind, type ByKind } from "../core/by-kind.ts";
import { at, first, last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { isPadded } from "../engine/op-options.ts";
import { elementsOf } from "../graph/shape.ts";
import type { FrozenLayer, FrozenNode } from "./frozen-network.ts";
import type { LayerGroup } from "./layer-groups.ts";

/** What one operation in float32 can be off by, as a share of its result. */
const UNIT = 2 ** -24;

/**
 * Operations between a sum and its code: the scales of input and weight multiplied, divided by the step, an int32 sum
 * made float32, the two multiplied, or a division by way of the reciprocal.
 */
const POSITION = 6;

/** Operations of a normalised pixel: scale and shift rounded, a product and a difference. */
const NORMALIZATION = 4;

/** Operations that stand for a runtime's approximation of exp, tanh or erf, and what is done with it. */
const APPROXIMATION = 24;

interface Source {
  /** Operations that each of its terms has passed at most. */
  readonly operations: number;
  readonly shape: readonly number[];
}

type Rule<N extends FrozenNode> = (node: N, inputs: readonly Source[]) => number;

const unchanged: Rule<FrozenNode> = (_, [x]) => x!.operations;

/** The weight's scale, the product, and a sum with each other term and the bias. */
const layer: Rule<FrozenLayer> = ({ weight: { shape } }, [x]) => x!.operations + 2 + elementsOf(shape.slice(0, -1));

/** How many operations in float32 a term of each kind of node passes at most, in whatever order sums are taken. */
const operations: ByKind<FrozenNode, [readonly Source[]], number> = {
  input: () => NORMALIZATION,
  conv2d: layer,
  "depthwise-conv2d": layer,
  "conv-transpose": layer,
  dense: layer,
  // A code less its zero, and its step.
  embedding: () => 2,
  "coded-embedding": () => 0,
  affine: (_, [x]) => x!.operations + 2,
  "max-pool": unchanged,
  // With padding, the share of the window that lies inside is one more.
  "average-pool": (node, [x]) => x!.operations + elementsOf(node.size) + (isPadded(node) ? 2 : 1),
  "global-average-pool": (_, [x]) => x!.operations + first(x!.shape) * at(x!.shape, 1) + 1,
  "masked-mean": (_, inputs) => at(inputs, 1).operations + elementsOf(first(inputs).shape) + 1,
  // Two products and sums; of a share, what its place on the longest side is rounded by.
  resize: (_, [x]) => x!.operations + 8 + 4 * Math.max(first(x!.shape), at(x!.shape, 1)),
  relu: unchanged,
  nonlinear: (_, [x]) => x!.operations + APPROXIMATION,
  add: (_, inputs) => Math.max(...inputs.map((input) => input.operations)) + 1,
  multiply: (_, inputs) => inputs.reduce((sum, { operations }) => sum + operations, 1),
  concat: (_, inputs) => Math.max(...inputs.map((input) => input.operations)),
  pad: unchanged,
  select: unchanged,
  flatten: unchanged,
  reshape: unchanged,
  transpose: unchanged,
  slice: unchanged,
  softmax: (node, [x]) => x!.operations + APPROXIMATION + last(node.outputShape),
  "masked-softmax": (node, inputs) => at(inputs, 1).operations + APPROXIMATION + last(node.outputShape),
  "token-mask": () => 0,
  "layer-norm": (node, [x]) => x!.operations + 2 * last(node.outputShape) + 8,
  matmul: ({ transposeA }, inputs) =>
    inputs.reduce((sum, { operations }) => sum + operations, at(first(inputs).shape, transposeA ? -2 : -1)),
  // A code times its scale.
  quantizer: () => 1,
};

/**
 * What float32 can get wrong of the value that a group's last node quantizes, as a share of the sum of its terms'
 * magnitudes, whatever the order of the sums: k operations are off by at most k·u/(1 - k·u) of that, with u = 2^-24
 * (Higham, Accuracy and Stability of Numerical Algorithms, lemma 3.1).
 */
export function floatError({ from, nodes }: LayerGroup): number {
  const known = new Map<string, Source>();
  for (const { id, kind, outputShape } of from) {
    known.set(id, { operations: kind === "input" ? NORMALIZATION : 1, shape: outputShape });
  }
  for (const node of nodes.slice(0, -1)) {
    const inputs = node.inputs.map((id) => lookup(known, id));
    known.set(node.id, { operations: applyByKind(operations, node, inputs), shape: node.outputShape });
  }
  const last = lookup(known, first(nodes.at(-1)!.inputs));
  const total = (last.operations + POSITION) * UNIT;
  return total / (1 - total);
}
