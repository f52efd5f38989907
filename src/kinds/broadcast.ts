import type { Ops, Tensor } from "../engine/ops.ts";
import type { Shape } from "../graph/graph.ts";
import type { ChannelPlace } from "../graph/node-kind.ts";
import { commonShape } from "../graph/shape.ts";

/**
 * The shape in which two tensors meet, aligned at their channels: [channels] meets each pixel of [height, width, channels].
 *
 * @throws Error where they do not fit.
 */
export function metShape(id: string, what: string, [left, right]: readonly [Shape, Shape]): Shape {
  const common = commonShape(left, right);
  if (common === null) throw new Error(`${id}: ${what} [${left}] and [${right}], which do not fit`);
  return common;
}

/** Two tensors of a batch with axes of size 1 where the other has more of them. */
export function aligned(ops: Ops, tensors: readonly [Tensor, Tensor]): readonly [Tensor, Tensor] {
  const rank = Math.max(...tensors.map(({ shape }) => shape.length));
  const align = (x: Tensor): Tensor => {
    const [batch = 1, ...rest] = x.shape;
    if (x.shape.length === rank) return x;
    return ops.reshape(x, [batch, ...new Array<number>(rank - x.shape.length).fill(1), ...rest]);
  };
  return [align(tensors[0]), align(tensors[1])];
}

/** What a gradient of the met shape is for one of the two, whose own shape is `shape`: the sum of all that it was repeated to. */
export function gathered(ops: Ops, gradient: Tensor, shape: readonly number[]): Tensor {
  const [batch = 1, ...rest] = shape;
  const widened = [batch, ...new Array<number>(gradient.shape.length - shape.length).fill(1), ...rest];
  const repeated = widened.flatMap((size, axis) => (size === 1 && gradient.shape[axis] !== 1 ? [axis] : []));
  const sum = repeated.length === 0 ? gradient : ops.sumOver(gradient, repeated);
  return sum.shape.length === shape.length ? sum : ops.reshape(sum, shape);
}

/** The channel of each of two inputs that one of the output is made of. */
export const bothChannels = (_: unknown, channel: number, sizes: readonly number[]): readonly ChannelPlace[] =>
  sizes.map((size, input) => ({ input, channel: Math.min(channel, size - 1) }));

/** The gradient of a tensor without a batch that was repeated to `gradient`'s shape: the sum of all that it became. */
export function repeatedBack(ops: Ops, gradient: Tensor, shape: Shape): Tensor {
  if (shape.length === 1 && shape[0] === gradient.shape.at(-1)) return ops.sumPerChannel(gradient);
  const widened = [...new Array<number>(gradient.shape.length - shape.length).fill(1), ...shape];
  const repeated = widened.flatMap((size, axis) => (size === 1 ? [axis] : []));
  return ops.reshape(repeated.length === 0 ? gradient : ops.sumOver(gradient, repeated), shape);
}
