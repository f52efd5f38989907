import { create } from "@bufbuild/protobuf";
import type { ElementType } from "../onnx/element-types.ts";
import { type NodeProto, type ValueInfoProto, ValueInfoProtoSchema } from "../onnx/generated/onnx_pb.ts";
import { type Model, withGraph } from "../onnx/onnx-model.ts";
import { readsOf } from "./value-names.ts";

/** A value that a part of a model is given. */
export interface GivenValue {
  readonly type: ElementType;
  /** null: another one in other runs. */
  readonly dims: readonly (number | null)[];
}

/** The part of a model that makes `wanted` of its inputs and of values that it is given; weights that it does not read go. */
export function cutModel(
  model: Model,
  { given, wanted }: { readonly given: ReadonlyMap<string, GivenValue>; readonly wanted: readonly string[] },
): Model {
  const { graph } = model;
  const node = nodesTo(graph.node, wanted, new Set(given.keys()));
  const read = new Set([...wanted, ...node.flatMap((one) => [...readsOf(one)])]);
  return withGraph(model, {
    node,
    initializer: graph.initializer.filter(({ name }) => read.has(name)),
    input: [
      ...graph.input.filter(({ name }) => read.has(name) && !given.has(name)),
      ...Array.from(given, ([name, value]) => declared(name, value)).filter(({ name }) => read.has(name)),
    ],
    output: wanted.map((name) => create(ValueInfoProtoSchema, { name })),
  });
}

/** The nodes that values are made by, in their order, as far as what is given. */
function nodesTo(nodes: readonly NodeProto[], wanted: readonly string[], given: ReadonlySet<string>): NodeProto[] {
  const read = new Set(wanted);
  const needed = nodes.toReversed().filter((node) => {
    if (!node.output.some((name) => read.has(name) && !given.has(name))) return false;
    for (const name of readsOf(node)) read.add(name);
    return true;
  });
  return needed.reverse();
}

/** What is the same in all runs is said: onnxruntime 1.30 takes a Resize by sizes of an unknown number for one by none. */
const declared = (name: string, { type, dims }: GivenValue): ValueInfoProto => {
  const dim = dims.map((size) => (size === null ? {} : { value: { case: "dimValue" as const, value: BigInt(size) } }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: type, shape: { dim } } } },
  });
};

/**
 * Values that stand for all before them: what is made of inputs, but of none of `unknown`, and is read by what is made of
 * those too, or is wanted itself.
 *
 * @param unknown Inputs whose values are still to come.
 * @param known Inputs, and values that are given, that others are made of. What is made of constants alone, those that old
 * files list among their inputs included, stays where it is.
 */
export function frontier(
  { graph }: Model,
  {
    wanted,
    known,
    unknown,
  }: { readonly wanted: readonly string[]; readonly known: ReadonlySet<string>; readonly unknown: ReadonlySet<string> },
): readonly string[] {
  const later = new Set(unknown);
  const live = new Set(known);
  for (const { name } of graph.initializer) live.delete(name);
  const made = new Set<string>();
  const nodes = nodesTo(graph.node, wanted, new Set(known));
  const found = new Set<string>();
  const isCut = (name: string) => made.has(name) && live.has(name) && !later.has(name);
  for (const node of nodes) {
    const reads = [...readsOf(node)];
    const isLater = reads.some((name) => later.has(name));
    const isLive = reads.some((name) => live.has(name));
    if (isLater) for (const name of reads) if (isCut(name) || known.has(name)) found.add(name);
    for (const name of node.output) {
      made.add(name);
      if (isLater) later.add(name);
      if (isLive) live.add(name);
    }
  }
  for (const name of wanted) if (isCut(name) || known.has(name)) found.add(name);
  return [...found].filter((name) => name !== "");
}
