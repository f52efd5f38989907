import { last } from "../../core/elements.ts";
import type { OnnxNode } from "./model-graph.ts";

/** What frameworks end the name of a layer's node with. */
const operatorParts = /^(conv\d?d?|gemm|matmul|biasadd|depthwise|add|batchnorm|fusedbatchnorm|relu|clip)/i;

/** The layer's name: PyTorch's of its weight, else the node's without its last part where that only repeats the operator. */
export function layerName(node: OnnxNode, weight: string | undefined): string {
  const module = /^(.+)\.weight$/.exec(weight ?? "")?.[1];
  return module ?? nodeName(node);
}

/** A node's name, without the operator where frameworks put it at the end of a path. */
export function nodeName({ name, operator }: OnnxNode): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== "StatefulPartitionedCall");
  if (parts.length > 1 && operatorParts.test(last(parts))) parts.pop();
  return parts.join(".") || operator.toLowerCase();
}
