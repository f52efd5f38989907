import type { NodeProto } from "../onnx/generated/onnx_pb.ts";
import { isStandardDomain } from "../onnx/onnx-model.ts";
import { realValues } from "../onnx/tensor-data.ts";
import { type FileGraph, floatOf } from "./file-graph.ts";

/** Between which numbers a Clip leaves values; null: the node is none, or a bound is no constant. */
export function clipBounds(graph: FileGraph, node: NodeProto): { readonly low: number; readonly high: number } | null {
  if (node.opType !== "Clip" || !isStandardDomain(node.domain)) return null;
  const bound = (name: string | undefined, otherwise: number): number | null => {
    if (!name) return otherwise;
    const tensor = graph.initializer(name);
    return (tensor && realValues(tensor)?.[0]) ?? null;
  };
  const low = bound(node.input[1], floatOf(node, "min", Number.NEGATIVE_INFINITY));
  const high = bound(node.input[2], floatOf(node, "max", Number.POSITIVE_INFINITY));
  return low === null || high === null ? null : { low, high };
}
