import { realValues } from "../onnx/tensor-data.ts";
import type { FileGraph } from "./file-graph.ts";
import type { WeightSite } from "./weight-site.ts";

/** The constant bias of a layer whose products are added to it as they are; "none": it has none yet; null: it cannot be shifted. */
export function biasOf(graph: FileGraph, { node, operator, layout }: WeightSite): Float32Array | "none" | null {
  if (operator.bias === null || !(node.opType === "Conv" || (node.opType === "Gemm" && operator.integer(node))))
    return null;
  const name = node.input[operator.bias] ?? "";
  if (name === "") return "none";
  const tensor = graph.initializer(name);
  const values = tensor && realValues(tensor);
  return values?.length === layout.dims[layout.axis] ? values : null;
}
