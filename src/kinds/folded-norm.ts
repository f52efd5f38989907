import type { Tensor } from "../engine/ops.ts";
import type { FoldedNormNode } from "../graph/graph.ts";
import type { BackwardPass, Forward, NodeKind, Pass } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";
import { inverseDeviation, perChannel, unbiased } from "./batch-norm.ts";

/**
 * Added to the variance of an output whose weight is folded already: it is that of a normalised output times scale²,
 * so the epsilon of the layer itself, which is inside the folded weight, would count a second time.
 */
const EPSILON = 1e-8;
/** Of fewer in a batch all are taken: the statistics of a handful say nothing of the positions between them. */
const FEWEST_POSITIONS = 1024;
/**
 * Batch normalization behind a folded, quantized weight (ARCHITECTURE.md, "Batch normalization"): `c` is the layer's
 * output with weight w·scale/sigma_running, z the pruning gates.
 *
 * - Evaluation and "running": z·(c + shift - scale·mean/sigma).
 * - Training: z·(c·sigma/sigma_b + shift - scale·mean_b/sigma_b), with the statistics of a second convolution, with the
 *   unquantized, unfolded weight. Their gradient goes through the first convolution, straight through the quantizer, so
 *   that the second needs no backward pass.
 */
export const foldedNorm: NodeKind<FoldedNormNode> = {
  shape: (_, [x]) => x!,
  forward(node, inputs, pass) {
    if (!pass.training || node.statistics === "running") return forwardRunning(node, inputs, pass);
    return forwardBatch(node, inputs, pass);
  },
  backward(node, gradient, saved, pass) {
    const extra = node.inputs.slice(3).map(() => null);
    if (node.statistics === "running") return [...backwardRunning(node, gradient, saved, pass), ...extra];
    const [c, factor, scale, shift, mean, variance] = saved as readonly Tensor[];
    const statistics = { mean: mean!, variance: variance! };
    const by = pass.ops.batchNormGradient(c!, gradient, factor!, statistics, EPSILON);
    const signs = host(pass, scale!).map(Math.sign);
    const byScale = pass.ops.multiply(by.scale, perChannel(pass, signs));
    reportGates(node, pass, [by.scale, factor!], [by.shift, gatedBy(node, pass, shift!)]);
    return [by.x, gatedBy(node, pass, byScale), gatedBy(node, pass, by.shift), ...extra];
  },
};

const host = ({ ops }: Pass, x: Tensor): Float32Array => Float32Array.from(ops.read(x));

/** Numbers per channel times the pruning gates. */
function gatedBy({ gate }: FoldedNormNode, pass: Pass, perChannel: Tensor): Tensor {
  const gates = gate === null ? null : pass.channelGates(gate);
  return gates === null ? perChannel : pass.ops.multiply(perChannel, gates);
}

/** z·dL/dz, summed over pairs of a gradient and the gated value that it belongs to. */
function reportGates({ gate }: FoldedNormNode, pass: BackwardPass, ...pairs: readonly (readonly [Tensor, Tensor])[]) {
  if (gate === null || !pass.quantizer(gate).wantsChannels) return;
  for (const [gradient, value] of pairs) pass.channels(gate, host(pass, pass.ops.multiply(gradient, value)));
}

/** |scale|·z as a tensor. */
const gatedFactor = (node: FoldedNormNode, pass: Pass, scale: Tensor): Tensor =>
  gatedBy(node, pass, perChannel(pass, host(pass, scale).map(Math.abs)));

function forwardBatch(node: FoldedNormNode, inputs: readonly Tensor[], pass: Pass): Forward {
  const { ops } = pass;
  const [c, scale, shift, image, weight] = inputs as readonly [Tensor, Tensor, Tensor, Tensor, Tensor];
  const { mean, variance, correction } = ops.scope(
    () => {
      const raw = convolve(node, { image, weight, positions: elementsOf(c.shape) / c.shape.at(-1)! }, pass);
      const ones = perChannel(pass, new Float32Array(raw.shape.at(-1)!).fill(1));
      const { statistics } = ops.batchNorm(raw, ones, ones, node.epsilon);
      const { mean, variance } = statistics;
      return { mean: host(pass, mean), variance: host(pass, variance), correction: unbiased(raw) };
    },
    () => [],
  );
  const running = inverseDeviation(pass.statistics(node.norm), node.epsilon);
  const batch = inverseDeviation({ mean, variance }, node.epsilon);
  pass.observe(node.norm, { mean, variance: variance.map((value) => value * correction) });
  const gamma = host(pass, scale);
  const stretch = batch.map((inverse, channel) => inverse / running[channel]!);
  const centre = mean.map((value, channel) => -value * gamma[channel]! * batch[channel]!);
  const moved = ops.add(shift, perChannel(pass, centre));
  const output = ops.affine(c, gatedBy(node, pass, perChannel(pass, stretch)), gatedBy(node, pass, moved));
  // The same statistics, as those of c: what the gradient takes.
  const folded = gamma.map((value, channel) => value * running[channel]!);
  const meanOfC = perChannel(
    pass,
    mean.map((value, channel) => value * folded[channel]!),
  );
  const varianceOfC = perChannel(
    pass,
    batch.map((inverse, channel) => (folded[channel]! / inverse) ** 2),
  );
  return { output, saved: [c, gatedFactor(node, pass, scale), scale, shift, meanOfC, varianceOfC] };
}

/** The unquantized layer's output, at the positions that the statistics are taken from. */
function convolve(
  node: FoldedNormNode,
  { image, weight, positions }: { readonly image: Tensor; readonly weight: Tensor; readonly positions: number },
  { ops }: Pass,
): Tensor {
  const { geometry } = node;
  const operands = [ops.narrow(image), ops.narrow(weight)] as const;
  if (geometry.kind === "dense") return ops.matmul(...operands);
  const every = node.statistics === "every-second-position" && positions >= FEWEST_POSITIONS ? 2 : 1;
  const windows = { ...geometry, stride: every * geometry.stride };
  return geometry.kind === "conv2d" ? ops.conv2d(...operands, windows) : ops.depthwiseConv2d(...operands, windows);
}

function forwardRunning(node: FoldedNormNode, [c, scale, shift]: readonly Tensor[], pass: Pass): Forward {
  const { ops } = pass;
  const statistics = pass.statistics(node.norm);
  const inverse = inverseDeviation(statistics, node.epsilon);
  const centre = perChannel(
    pass,
    statistics.mean.map((value, channel) => -value * inverse[channel]!),
  );
  const moved = gatedBy(node, pass, ops.add(shift!, ops.multiply(scale!, centre)));
  const gates = node.gate === null ? null : pass.channelGates(node.gate);
  const output = gates === null ? ops.addBias(c!, moved) : ops.affine(c!, gates, moved);
  return { output, saved: [c!, centre, moved] };
}

function backwardRunning(
  node: FoldedNormNode,
  gradient: Tensor,
  [c, centre, moved]: readonly (Tensor | null)[],
  pass: BackwardPass,
): readonly Tensor[] {
  const { ops } = pass;
  const gates = node.gate === null ? null : pass.channelGates(node.gate);
  const sums = ops.sumPerChannel(gradient);
  if (node.gate !== null && pass.quantizer(node.gate).wantsChannels) {
    const inner = gatedBy(node, pass, ops.sumPerChannel(ops.multiply(gradient, c!)));
    pass.channels(node.gate, host(pass, ops.add(inner, ops.multiply(sums, moved!))));
  }
  const byShift = gatedBy(node, pass, sums);
  const byC = gates === null ? gradient : ops.multiply(gradient, gates);
  return [byC, ops.multiply(byShift, centre!), byShift];
}
