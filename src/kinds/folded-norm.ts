import { last } from "../core/elements.ts";
import { square } from "../core/powers.ts";
import { tuple } from "../core/tuple.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { BackwardPass, Forward, NodeKind, Pass, PerInput } from "../graph/node-kind.ts";
import { channelsOf, elementsOf } from "../graph/shape.ts";
import { sameChannels } from "./channel-flows.ts";
import { type ConvTransposeNode, transposed } from "./conv-transpose.ts";
import type { Conv2dNode } from "./conv2d.ts";
import { asRows, type DenseNode } from "./dense.ts";
import type { DepthwiseConv2dNode } from "./depthwise-conv2d.ts";
import { inverseDeviation, perChannel, unbiased } from "./norm-affine.ts";

/**
 * Where training takes the statistics of a folded batch normalization from: a second convolution, with the
 * unquantized, unfolded weight.
 */
export type Statistics =
  /** All of its output: the authors' form. */
  | "every-position"
  /** Every second row and column of its output, for a quarter of its cost; all of small ones, of dense layers and transposed convolutions. */
  | "every-second-position"
  /** The running statistics, which then no longer move: for fine-tuning. */
  | "running";

/** What a layer does, without what it reads. */
export type LayerGeometry =
  | Pick<Conv2dNode, "kind" | "strides" | "dilations" | "padding" | "groups">
  | Pick<DepthwiseConv2dNode, "kind" | "strides" | "dilations" | "padding">
  | Pick<ConvTransposeNode, "kind" | "strides" | "padding" | "outputPadding">
  | Pick<DenseNode, "kind">;

/**
 * What is left of a batch normalization behind a layer whose weight is folded (docs/method.md, "Batch
 * normalization"). A factor multiplies its whole result.
 */
export interface FoldedNormNode {
  readonly kind: "folded-norm";
  readonly id: NodeId;
  /** The layer's output, scale, shift; where statistics are those of the batch also the layer's input and its unfolded weight. */
  readonly inputs: readonly [NodeId, NodeId, NodeId] | readonly [NodeId, NodeId, NodeId, image: NodeId, weight: NodeId];
  readonly norm: NodeId;
  readonly epsilon: number;
  readonly statistics: Statistics;
  /** How a second convolution is done. */
  readonly geometry: LayerGeometry;
}

/**
 * Added to the variance of an output whose weight is folded already: it is that of a normalised output times scale²,
 * so the epsilon of the layer itself, which is inside the folded weight, would count a second time.
 */
const EPSILON = 1e-8;
/** Of fewer in a batch all are taken: the statistics of a handful say nothing of the positions between them. */
const FEWEST_POSITIONS = 1024;
/**
 * Batch normalization behind a folded, quantized weight (docs/method.md, "Batch normalization"): `c` is the layer's
 * output with weight w·scale/sigma_running, z the factor of its channels.
 *
 * - Evaluation and "running": z·(c + shift - scale·mean/sigma).
 * - Training: z·(c·sigma/sigma_b + shift - scale·mean_b/sigma_b), with the statistics of a second convolution, with the
 *   unquantized, unfolded weight. Their gradient goes through the first convolution, straight through the quantizer, so
 *   that the second needs no backward pass.
 */
/** c, the negated centre and the moved shift of the running statistics. */
type SavedRunning = readonly [c: Tensor, centre: Tensor, moved: Tensor];
/** c, its factor, scale and shift, mean and variance of the batch. */
type SavedBatch = readonly [c: Tensor, factor: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor];

export const foldedNorm: NodeKind<FoldedNormNode, SavedRunning | SavedBatch> = {
  shape: (_, [x]) => x,
  macs: null,
  readsIntegers: false,
  forward(node, inputs, pass) {
    if (!pass.training || node.statistics === "running") return forwardRunning(node, inputs, pass);
    return forwardBatch(node, inputs, pass);
  },
  addsBias: false,
  backward(node, gradient, saved, pass) {
    const extra = node.inputs.slice(3).map(() => null);
    if (saved.length === 3) return [...backwardRunning(node, gradient, saved, pass), ...extra];
    const [c, factor, scale, shift, mean, variance] = saved;
    const statistics = { mean, variance };
    const by = pass.ops.batchNormGradient(c, gradient, factor, statistics, EPSILON);
    const signs = host(pass, scale).map(Math.sign);
    const byScale = pass.ops.multiply(by.scale, perChannel(pass, signs));
    reportFactor(node, pass, [by.scale, factor], [by.shift, times(node, pass, shift)]);
    return [by.x, times(node, pass, byScale), times(node, pass, by.shift), ...extra];
  },
  nonNegative: () => false,
  grid: "new",
  channels: { ...sameChannels, shifts: () => true },
  letsFactorsPass: () => false,
  statistics: (_, [x]) => channelsOf(x),
  copies: 0,
};

const host = ({ ops }: Pass, x: Tensor): Float32Array => Float32Array.from(ops.read(x));

/** Numbers per channel times the factor of the channels. */
function times({ id }: FoldedNormNode, pass: Pass, perChannel: Tensor): Tensor {
  const factor = pass.factor(id);
  return factor === null ? perChannel : pass.ops.multiply(perChannel, factor);
}

/** z·dL/dz, summed over pairs of a gradient and the multiplied value that it belongs to. */
function reportFactor({ id }: FoldedNormNode, pass: BackwardPass, ...pairs: readonly (readonly [Tensor, Tensor])[]) {
  if (!pass.wantsFactor(id)) return;
  for (const [gradient, value] of pairs) pass.factorGradient(id, host(pass, pass.ops.multiply(gradient, value)));
}

/** |scale|·z as a tensor. */
const scaleTimes = (node: FoldedNormNode, pass: Pass, scale: Tensor): Tensor =>
  times(node, pass, perChannel(pass, host(pass, scale).map(Math.abs)));

function forwardBatch(node: FoldedNormNode, inputs: PerInput<FoldedNormNode, Tensor>, pass: Pass): Forward<SavedBatch> {
  const { ops } = pass;
  const [c, scale, shift, image, weight] = tuple(inputs, 5);
  const { mean, variance, correction } = ops.scope(
    () => {
      const raw = convolve(node, { image, weight, positions: elementsOf(c.shape) / last(c.shape) }, pass);
      const { mean, variance } = ops.batchStatistics(raw);
      return { mean: host(pass, mean), variance: host(pass, variance), correction: unbiased(raw) };
    },
    () => [],
  );
  const running = inverseDeviation(pass.statistics(node.norm), node.epsilon);
  const batch = inverseDeviation({ variance }, node.epsilon);
  pass.observe(node.norm, { mean, variance: variance.map((value) => value * correction) });
  const gamma = host(pass, scale);
  const stretch = batch.map((inverse, channel) => inverse / running[channel]!);
  const centre = mean.map((value, channel) => -value * gamma[channel]! * batch[channel]!);
  const moved = ops.add(shift, perChannel(pass, centre));
  const output = ops.affine(c, times(node, pass, perChannel(pass, stretch)), times(node, pass, moved));
  // The same statistics, as those of c: what the gradient takes.
  const folded = gamma.map((value, channel) => value * running[channel]!);
  const meanOfC = perChannel(
    pass,
    mean.map((value, channel) => value * folded[channel]!),
  );
  const varianceOfC = perChannel(
    pass,
    batch.map((inverse, channel) => square(folded[channel]! / inverse)),
  );
  return { output, saved: [c, scaleTimes(node, pass, scale), scale, shift, meanOfC, varianceOfC] };
}

/** The unquantized layer's output, at the positions that the statistics are taken from. */
function convolve(
  node: FoldedNormNode,
  { image, weight, positions }: { readonly image: Tensor; readonly weight: Tensor; readonly positions: number },
  { ops }: Pass,
): Tensor {
  const { geometry } = node;
  if (geometry.kind === "dense") return ops.matmul(ops.narrow(asRows(image, ops)), ops.narrow(weight));
  const operands = [ops.narrow(image), ops.narrow(weight)] as const;
  if (geometry.kind === "conv-transpose") return transposed(...operands, geometry, ops);
  const every = node.statistics === "every-second-position" && positions >= FEWEST_POSITIONS ? 2 : 1;
  const [rows, columns] = geometry.strides;
  const windows = { ...geometry, strides: [every * rows, every * columns] as const };
  return geometry.kind === "conv2d" ? ops.conv2d(...operands, windows) : ops.depthwiseConv2d(...operands, windows);
}

function forwardRunning(
  node: FoldedNormNode,
  [c, scale, shift]: PerInput<FoldedNormNode, Tensor>,
  pass: Pass,
): Forward<SavedRunning> {
  const { ops } = pass;
  const statistics = pass.statistics(node.norm);
  const inverse = inverseDeviation(statistics, node.epsilon);
  const centre = perChannel(
    pass,
    statistics.mean.map((value, channel) => -value * inverse[channel]!),
  );
  const moved = times(node, pass, ops.add(shift, ops.multiply(scale, centre)));
  const factor = pass.factor(node.id);
  const output = factor === null ? ops.addBias(c, moved) : ops.affine(c, factor, moved);
  return { output, saved: [c, centre, moved] };
}

function backwardRunning(
  node: FoldedNormNode,
  gradient: Tensor,
  [c, centre, moved]: SavedRunning,
  pass: BackwardPass,
): readonly Tensor[] {
  const { ops } = pass;
  const factor = pass.factor(node.id);
  const sums = ops.sumPerChannel(gradient);
  if (pass.wantsFactor(node.id)) {
    const inner = times(node, pass, ops.sumPerChannel(ops.multiply(gradient, c)));
    pass.factorGradient(node.id, host(pass, ops.add(inner, ops.multiply(sums, moved))));
  }
  const byShift = times(node, pass, sums);
  const byC = factor === null ? gradient : ops.multiply(gradient, factor);
  return [byC, ops.multiply(byShift, centre), byShift];
}
