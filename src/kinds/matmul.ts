import { at, last } from "../core/elements.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { NodeId, Shape } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";
import { wholeChannels } from "./channel-flows.ts";

/** The matrix products of two activations, [.., m, k] × [.., k, n] to [.., m, n]: what attention is made of. */
export interface MatmulNode {
  readonly kind: "matmul";
  readonly id: NodeId;
  readonly inputs: readonly [left: NodeId, right: NodeId];
  /** Whether the left one is [.., k, m]. */
  readonly transposeA: boolean;
  /** Whether the right one is [.., n, k]. */
  readonly transposeB: boolean;
}

type Transposed = Pick<MatmulNode, "transposeA" | "transposeB">;

export const matmul: NodeKind<MatmulNode, readonly [Tensor, Tensor]> = {
  shape({ id, ...transposed }, [a, b]) {
    const [m, k] = sidesOf(a, transposed.transposeA);
    const [inner, n] = sidesOf(b, transposed.transposeB);
    const [lead, other] = [a.slice(0, -2), b.slice(0, -2)];
    if (m === undefined || n === undefined || k !== inner || `${lead}` !== `${other}`) {
      throw new Error(`${id}: multiplies [${a}] and [${b}], which do not fit`);
    }
    return [...lead, m, n];
  },
  macs: null,
  readsIntegers: false,
  forward: (node, inputs, { ops }) => ({ output: productOf(node, inputs, ops), saved: inputs }),
  addsBias: false,
  backward({ transposeA, transposeB }, gradient, [a, b], { ops }, [needsLeft, needsRight]) {
    const of = (left: Tensor, right: Tensor, transposed: Transposed) => productOf(transposed, [left, right], ops);
    const byLeft = () =>
      transposeA
        ? of(b, gradient, { transposeA: transposeB, transposeB: true })
        : of(gradient, b, { transposeA: false, transposeB: !transposeB });
    const byRight = () =>
      transposeB
        ? of(gradient, a, { transposeA: true, transposeB: transposeA })
        : of(a, gradient, { transposeA: !transposeA, transposeB: false });
    return [needsLeft ? byLeft() : null, needsRight ? byRight() : null];
  },
  nonNegative: (_, inputs) => inputs.every(Boolean),
  grid: "new",
  channels: { ...wholeChannels, inputs: "added" },
  letsFactorsPass: () => false,
  copies: 0,
};

/** Multiply-accumulates for one sample: every number of the left one meets each column of the right one. */
export const productMacs = (left: Shape, output: Shape): number => elementsOf(left) * last(output);

/** Rows and columns of a matrix as it is multiplied. */
function sidesOf(shape: Shape, isTransposed: boolean): readonly (number | undefined)[] {
  const sides = shape.slice(-2);
  return isTransposed ? sides.toReversed() : sides;
}

/** Matrix products over all axes before the last two. */
export function productOf({ transposeA, transposeB }: Transposed, [a, b]: readonly [Tensor, Tensor], ops: Ops): Tensor {
  const flat = (x: Tensor) => ops.reshape(x, [elementsOf(x.shape.slice(0, -2)), at(x.shape, -2), at(x.shape, -1)]);
  const product = ops.batchMatmul(flat(a), flat(b), { transposeA, transposeB });
  return ops.reshape(product, [...a.shape.slice(0, -2), at(product.shape, 1), at(product.shape, 2)]);
}
