import { tuple } from "../core/tuple.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { channelsOf, elementsOf } from "../graph/shape.ts";
import { mixedChannels } from "./channel-flows.ts";

/** [.., units in] × [units in, units out], of any rank: every row of the last axis by itself. */
export interface DenseNode {
  readonly kind: "dense";
  readonly id: NodeId;
  readonly inputs: readonly [x: NodeId, weight: NodeId];
}

export const dense: NodeKind<DenseNode, readonly [Tensor, Tensor]> = {
  shape({ id }, [x, weight]) {
    const [inputs, outputs] = tuple(weight, 2);
    if (x.length === 0 || channelsOf(x) !== inputs) {
      throw new Error(`${id}: the weight is for ${inputs} units, the input has shape [${x}]`);
    }
    return [...x.slice(0, -1), outputs];
  },
  macs(inputs) {
    const [x, weight] = tuple(inputs, 2);
    return (elementsOf(x) / channelsOf(x)) * elementsOf(weight);
  },
  readsIntegers: false,
  forward(_, [x, weight], { ops }) {
    const saved = [ops.narrow(asRows(x, ops)), ops.narrow(weight)] as const;
    return {
      output: reshaped(ops.matmul(...saved), [...x.shape.slice(0, -1), channelsOf(weight.shape)], ops),
      saved,
    };
  },
  addsBias: false,
  backward(_, gradient, [rows, weight], { ops }, [needsInput, needsWeight]) {
    const narrow = ops.narrow(asRows(gradient, ops));
    const shape = [...gradient.shape.slice(0, -1), channelsOf(rows.shape)];
    return [
      needsInput ? reshaped(ops.matmul(narrow, weight, { transposeB: true }), shape, ops) : null,
      needsWeight ? ops.matmul(rows, narrow, { transposeA: true }) : null,
    ];
  },
  nonNegative: () => false,
  grid: "new",
  channels: mixedChannels,
  letsFactorsPass: () => false,
  copies: 0,
};

/** Every row of the last axis times a weight, [units in, units out]. */
export const denseOf = (x: Tensor, weight: Tensor, ops: Ops): Tensor =>
  reshaped(ops.matmul(asRows(x, ops), weight), [...x.shape.slice(0, -1), channelsOf(weight.shape)], ops);

/** [batch, .., units] as [rows, units]. */
export const asRows = (x: Tensor, ops: Ops): Tensor => {
  const units = channelsOf(x.shape);
  return reshaped(x, [elementsOf(x.shape) / units, units], ops);
};

const reshaped = (x: Tensor, shape: readonly number[], ops: Ops): Tensor =>
  x.shape.length === shape.length ? x : ops.reshape(x, shape);
