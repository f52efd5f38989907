import type { DenseNode } from "../graph.ts";
import type { NodeKind } from "../node-kind.ts";

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
  forward: (_, [x, weight], { ops }) => ({ output: ops.matmul(x!, weight!), saved: [x!, weight!] }),
  backward(_, gradient, [x, weight], { ops }, [needsInput]) {
    return [
      needsInput ? ops.matmul(gradient, weight!, { transposeB: true }) : null,
      ops.matmul(x!, gradient, { transposeA: true }),
    ];
  },
};
