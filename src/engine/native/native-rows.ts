import type { Ops } from "../ops.ts";
import { dataTypes } from "./binding.ts";
import type { Executor } from "./executor.ts";
import { float, index } from "./kernel-attributes.ts";

/** Rows picked from a tensor, and matrix products of each entry of a batch. */
export function rows(run: Executor): Pick<Ops, "gather" | "sumByIndex" | "batchMatmul"> {
  return {
    gather(x, indices, axis) {
      const kernel = run.kernel("GatherV2", {
        Tparams: { dtype: dataTypes[x.dtype] },
        Tindices: index,
        Taxis: index,
        batch_dims: 0,
      });
      return run.run(kernel, [x, indices, run.create(Int32Array.of(axis), [])]);
    },
    sumByIndex(rows, indices, count) {
      const kernel = run.kernel("UnsortedSegmentSum", { ...float, Tindices: index, Tnumsegments: index });
      return run.run(kernel, [rows, indices, run.create(Int32Array.of(count), [])]);
    },
    batchMatmul: (a, b, { transposeA = false, transposeB = false } = {}) =>
      run.run(run.kernel("BatchMatMulV2", { ...float, adj_x: transposeA, adj_y: transposeB }), [a, b]),
  };
}
