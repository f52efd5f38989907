import type { DenseNode } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";

/** [units in] times [units in, units out]. */
export const dense: NodeKind<DenseNode> = {
  shape({ id }, [units, weight]) {
    const [inputs, outputs] = weight as [number, number];
    if (units!.length !== 1 || units![0] !== inputs) {
      throw new Error(`${id}: the weight is for ${inputs} units, the input has shape [${units}]`);
    }
    return [outputs];
  },
  macs: (_, [, weight]) => weight![0]! * weight![1]!,
  forward(_, [x, weight], { ops }) {
    const saved = [ops.narrow(x!), ops.narrow(weight!)] as const;
    return { output: ops.matmul(...saved), saved };
  },
  backward(_, gradient, [x, weight], { ops }, [needsInput]) {
    const narrow = ops.narrow(gradient);
    return [
      needsInput ? ops.matmul(narrow, weight!, { transposeB: true }) : null,
      ops.matmul(x!, narrow, { transposeA: true }),
    ];
  },
};
