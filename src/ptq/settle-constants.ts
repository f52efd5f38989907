import { floatBytes } from "../export/onnx/packing.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { isStandardDomain } from "../onnx/onnx-model.ts";
import { tensorOf } from "../onnx/tensor-data.ts";
import { constantValues } from "./constants.ts";
import type { FileGraph } from "./file-graph.ts";

/** By operator, the inputs beside a weight that a kernel of integers, or folding, wants as numbers: all of them are short. */
const settled: Readonly<Record<string, readonly number[]>> = {
  Conv: [2],
  Gemm: [2],
  Clip: [1, 2],
  BatchNormalization: [1, 2, 3, 4],
};

/**
 * Biases, bounds and what normalizes become initializers where nodes make them of constants alone, as exporters write
 * them that do not optimize: onnxruntime computes the same numbers when it loads the file, but too late for those who
 * look at it before.
 */
export async function settleConstants(graph: FileGraph, file: string): Promise<void> {
  const wanted = graph.nodes.flatMap(({ domain, opType, input }) =>
    isStandardDomain(domain) ? (settled[opType] ?? []).flatMap((slot) => input[slot] ?? []) : [],
  );
  const made = wanted.filter((name) => graph.makerOf(name) !== null && !graph.isOutput(name));
  for (const [name, { dims, type, values }] of await constantValues(graph, made, file)) {
    if (type === elementTypes.float && values) {
      graph.settle(tensorOf(name, elementTypes.float, dims, floatBytes(values)));
    }
  }
}
