import type { AnyNode, NodeId } from "./graph.ts";
import { inputsOf } from "./walk.ts";

/** The node with other inputs: those that `renamed` has, by the ids that they had. */
export function rewire<N extends AnyNode>(node: N, renamed: ReadonlyMap<NodeId, NodeId>): N {
  if (!inputsOf(node).some((id) => renamed.has(id))) return node;
  return { ...node, inputs: inputsOf(node).map((id) => renamed.get(id) ?? id) };
}

/** Puts a node behind each one that `inserted` has; the readers that `reads` picks then read it instead. */
export const insertBehind = <N extends AnyNode>(
  nodes: readonly N[],
  inserted: ReadonlyMap<NodeId, N>,
  reads: (reader: N, source: NodeId) => boolean,
): readonly N[] =>
  nodes.flatMap((node) => {
    const renamed = new Map(
      inputsOf(node).flatMap((id) => {
        const behind = inserted.get(id);
        return behind !== undefined && reads(node, id) ? [[id, behind.id] as const] : [];
      }),
    );
    const behind = inserted.get(node.id);
    return [rewire(node, renamed), ...(behind ? [behind] : [])];
  });
