import type { Ops, Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { channelsOf } from "../graph/shape.ts";
import { wholeChannels } from "./channel-flows.ts";

/** (x - mean)/sqrt(variance + epsilon)·scale + shift with mean and variance of each row of the last axis (Ba et al., 2016). */
export interface LayerNormNode {
  readonly kind: "layer-norm";
  readonly id: NodeId;
  readonly inputs: readonly [x: NodeId, scale: NodeId, shift: NodeId];
  readonly epsilon: number;
}

/** With n for the normalised x and h for gradient·scale: the gradient by x is (h - mean(h) - n·mean(h·n))/deviation. */
export const layerNorm: NodeKind<LayerNormNode, readonly [Tensor, Tensor, Tensor]> = {
  shape({ id }, [x, scale, shift]) {
    const channels = channelsOf(x);
    if (x.length === 0 || channelsOf(scale) !== channels || channelsOf(shift) !== channels) {
      throw new Error(`${id}: reads [${x}], its scale and shift are [${scale}] and [${shift}]`);
    }
    return x;
  },
  macs: null,
  readsIntegers: false,
  forward({ epsilon }, [x, scale, shift], { ops }) {
    const { normal, inverse } = normalized(x, epsilon, ops);
    return { output: ops.add(ops.multiply(normal, scale), shift), saved: [normal, inverse, scale] };
  },
  addsBias: false,
  backward(_, gradient, [normal, inverse, scale], { ops }, [needsInput]) {
    const product = ops.multiply(gradient, normal);
    const parameters = [ops.sumPerChannel(product), ops.sumPerChannel(gradient)];
    if (!needsInput) return [null, ...parameters];
    const scaled = ops.multiply(gradient, scale);
    const along = ops.multiply(normal, negativeMean(ops.multiply(scaled, normal), ops));
    const centred = ops.sum([scaled, along]);
    return [ops.multiply(ops.add(centred, negativeMean(scaled, ops)), inverse), ...parameters];
  },
  nonNegative: () => false,
  grid: "new",
  channels: wholeChannels,
  letsFactorsPass: () => false,
  copies: 1,
};

/** Every row less its mean, over its deviation; and 1/deviation, [.., 1]. */
function normalized(x: Tensor, epsilon: number, ops: Ops): { readonly normal: Tensor; readonly inverse: Tensor } {
  const centred = ops.add(x, negativeMean(x, ops));
  const variance = ops.multiply(
    negativeMean(ops.multiply(centred, centred), ops),
    ops.tensor(Float32Array.of(-1), [1]),
  );
  const inverse = ops.reciprocalRoot(variance, epsilon);
  return { normal: ops.multiply(centred, inverse), inverse };
}

/** -1 times the mean of each row, [.., 1]. */
function negativeMean(x: Tensor, ops: Ops): Tensor {
  const sums = ops.sumOver(x, [x.shape.length - 1]);
  return ops.multiply(sums, ops.tensor(Float32Array.of(-1 / channelsOf(x.shape)), [1]));
}

/** Rows normalised, with their scale and shift. */
export const layerNormOf = (
  x: Tensor,
  { scale, shift, epsilon }: { readonly scale: Tensor; readonly shift: Tensor; readonly epsilon: number },
  ops: Ops,
): Tensor => ops.add(ops.multiply(normalized(x, epsilon, ops).normal, scale), shift);
