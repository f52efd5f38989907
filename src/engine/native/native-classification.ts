import { tuple } from "../../core/tuple.ts";
import type { Ops } from "../ops.ts";
import type { Executor } from "./executor.ts";
import { float, index } from "./kernel-attributes.ts";

/** The loss of a classifier and its answers. */
export function classification(run: Executor): Pick<Ops, "crossEntropy" | "argMax"> {
  return {
    crossEntropy(logits, labels) {
      const [batch] = tuple(logits.shape, 2);
      const kernel = run.kernel("SparseSoftmaxCrossEntropyWithLogits", { ...float, Tlabels: index });
      const [losses, gradients] = tuple(run.runMany(kernel, [logits, labels], 2), 2);
      const mean = run.kernel("Mean", { ...float, Tidx: index, keep_dims: false });
      const loss = run.run(mean, [losses, run.create(Int32Array.of(0), [1])]);
      return { loss, gradient: run.run(run.kernel("Mul", float), [gradients, run.scalar(1 / batch)]) };
    },
    argMax(logits) {
      const axis = run.create(Int32Array.of(1), []);
      return run.run(run.kernel("ArgMax", { ...float, Tidx: index, output_type: index }), [logits, axis]);
    },
  };
}
