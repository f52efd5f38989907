import type { GraphProto, NodeProto } from "../onnx/generated/onnx_pb.ts";

/** The values that a node reads, those of outside that its subgraphs read included. */
export function readsOf(node: NodeProto): ReadonlySet<string> {
  const reads = new Set(node.input.filter((name) => name !== ""));
  for (const graph of subgraphsOf(node)) {
    const own = new Set([...graph.input, ...graph.initializer].map(({ name }) => name));
    for (const { output } of graph.node) for (const name of output) own.add(name);
    const inside = [...graph.node.flatMap((inner) => [...readsOf(inner)]), ...graph.output.map(({ name }) => name)];
    for (const name of inside) if (!own.has(name)) reads.add(name);
  }
  return reads;
}

/** The subgraphs of a node (If, Loop, Scan). */
export const subgraphsOf = ({ attribute }: NodeProto): readonly GraphProto[] =>
  attribute.flatMap(({ g, graphs }) => [...(g ? [g] : []), ...graphs]);

/** A name that is none of `names`, made of `wanted`. */
export function freeName(wanted: string, names: ReadonlySet<string>): string {
  let name = wanted;
  for (let count = 2; names.has(name); count++) name = `${wanted}.${count}`;
  return name;
}

/** All names of values, at any depth. */
export function* namesIn(graph: GraphProto): Generator<string> {
  for (const { name } of [...graph.input, ...graph.output, ...graph.initializer, ...graph.valueInfo]) yield name;
  for (const node of graph.node) {
    yield node.name;
    yield* node.input;
    yield* node.output;
    for (const inner of subgraphsOf(node)) yield* namesIn(inner);
  }
}
