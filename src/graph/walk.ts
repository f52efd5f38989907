import type { AnyNode, Graph, NodeId } from "./graph.ts";

/** The nodes that `node` reads, in order. */
export const inputsOf = (node: AnyNode): readonly NodeId[] => node.inputs ?? [];

/** Nodes by id. */
export const nodesById = <N extends AnyNode>({ nodes }: Pick<Graph<N>, "nodes">): ReadonlyMap<NodeId, N> =>
  new Map(nodes.map((node) => [node.id, node]));

/** By node. */
export type Readers<N extends AnyNode> = ReadonlyMap<NodeId, readonly N[]>;

/** The nodes that read each one, in order; those that nothing reads are left out. */
export function readersOf<N extends AnyNode>({ nodes }: Pick<Graph<N>, "nodes">): Readers<N> {
  const readers = new Map<NodeId, N[]>();
  for (const node of nodes) {
    for (const id of new Set(inputsOf(node))) {
      const known = readers.get(id);
      if (known === undefined) readers.set(id, [node]);
      else known.push(node);
    }
  }
  return readers;
}

/** How often each value is read: by nodes, an input that one reads twice counting twice, and as an output. */
export function usesOf({ nodes, outputs }: Graph<AnyNode>): ReadonlyMap<NodeId, number> {
  const uses = new Map<NodeId, number>();
  for (const id of [...outputs, ...nodes.flatMap(inputsOf)]) uses.set(id, (uses.get(id) ?? 0) + 1);
  return uses;
}

/** The nodes that `isStart` picks, and all that depend on one of them. */
export function dependentsOf<N extends AnyNode>(
  { nodes }: Pick<Graph<N>, "nodes">,
  isStart: (node: N) => boolean,
): ReadonlySet<NodeId> {
  const reached = new Set<NodeId>();
  for (const node of nodes) if (isStart(node) || inputsOf(node).some((id) => reached.has(id))) reached.add(node.id);
  return reached;
}

/** What of a graph leads to a node: a graph whose output it is. */
export function leadingTo<N extends AnyNode>(graph: Graph<N>, output: NodeId): Graph<N> {
  const needed = new Set([output]);
  for (const node of graph.nodes.toReversed()) {
    if (needed.has(node.id)) for (const input of inputsOf(node)) needed.add(input);
  }
  return { ...graph, outputs: [output], nodes: graph.nodes.filter(({ id }) => needed.has(id)) };
}

/**
 * The output of a graph that has one.
 *
 * @throws Error when it has another number of them.
 */
export function onlyOutput({ name, outputs }: Pick<Graph<AnyNode>, "name" | "outputs">): NodeId {
  const [output, ...others] = outputs;
  if (output === undefined || others.length > 0) {
    throw new Error(`${name}: expected one output, it has ${outputs.length} (${outputs.join(", ")})`);
  }
  return output;
}
