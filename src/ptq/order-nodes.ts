import type { GraphProto, NodeProto } from "../onnx/generated/onnx_pb.ts";
import { readsOf, subgraphsOf } from "./value-names.ts";

/**
 * Puts the nodes of a graph, and of those inside of it, behind what they read, as the format demands and not every file
 * has it (onnxruntime loads them in any order). Those that stand right keep their order.
 */
export function orderNodes(graph: GraphProto): void {
  for (const node of graph.node) for (const inner of subgraphsOf(node)) orderNodes(inner);
  const makers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const ordered = new Set<NodeProto>();
  /** On the way to what is placed next: a cycle, which no runtime loads, ends there. */
  const begun = new Set<NodeProto>();
  const waiting = graph.node.toReversed();
  for (let node = waiting.at(-1); node !== undefined; node = waiting.at(-1)) {
    const missing = begun.has(node) ? [] : [...readsOf(node)].flatMap((name) => makers.get(name) ?? []);
    begun.add(node);
    const first = missing.filter((maker) => !begun.has(maker));
    if (first.length > 0) waiting.push(...first);
    else {
      ordered.add(node);
      waiting.pop();
    }
  }
  graph.node = [...ordered];
}
