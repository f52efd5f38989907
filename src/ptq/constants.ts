import { create } from "@bufbuild/protobuf";
import { lookup } from "../core/lookup.ts";
import { type ElementType, elementTypeNamed, elementTypes } from "../onnx/element-types.ts";
import { encodeModel } from "../onnx/encode-model.ts";
import { FileSession } from "../onnx/file-session.ts";
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type NodeProto,
  NodeProtoSchema,
  ValueInfoProtoSchema,
} from "../onnx/generated/onnx_pb.ts";
import { isStandardDomain, withGraph } from "../onnx/onnx-model.ts";
import type { FileGraph } from "./file-graph.ts";
import { numbersOf } from "./output-numbers.ts";
import { readsOf } from "./value-names.ts";

export interface ConstantValue {
  readonly dims: readonly number[];
  /** Number of TensorProto.DataType. */
  readonly type: number;
  /** Null where they are no numbers of float32 or float16. */
  readonly values: Float32Array | null;
}

const random: ReadonlySet<string> = new Set(
  "RandomNormal RandomNormalLike RandomUniform RandomUniformLike Multinomial Bernoulli Dropout".split(" "),
);

/** Whether what a node makes is another each time. */
export const isRandom = ({ opType }: NodeProto): boolean => random.has(opType);

/** Whether a node makes its second input's type of the first: of that one only the type is read. */
const isCastLike = ({ domain, opType }: NodeProto): boolean => opType === "CastLike" && isStandardDomain(domain);

/**
 * The values named `wanted` that are no initializers but made of constants alone, by Transpose, Reshape, Constant or any
 * other operators: onnxruntime computes them. A constant that is cast to the type of a value that the network computes,
 * as PyTorch's exporter writes biases, is one too.
 */
export async function constantValues(
  graph: FileGraph,
  wanted: readonly string[],
  file: string,
): Promise<ReadonlyMap<string, ConstantValue>> {
  const made = [...new Set(wanted)].filter((name) => graph.makerOf(name) !== null);
  const typeOf = await castTypes(graph, made, file);
  const needed = new Set<NodeProto>();
  const constant = made.filter((name) => {
    const found = sourcesOf(graph, name, (node) => typeOf.has(node));
    for (const node of found ?? []) needed.add(node);
    return found !== null;
  });
  if (constant.length === 0) return new Map();
  const { model } = graph;
  const nodes = graph.nodes
    .filter((node) => needed.has(node))
    .map((node) => {
      const type = typeOf.get(node);
      return type === undefined ? node : cast(node, type);
    });
  const read = new Set(nodes.flatMap((node) => [...readsOf(node)]));
  const given = givenAs(graph, constant);
  const part = withGraph(model, {
    node: [...nodes, ...given.nodes],
    initializer: model.graph.initializer.filter(({ name }) => read.has(name)),
    input: [],
    output: given.outputs,
  });
  await using session = await FileSession.load(encodeModel(part), file);
  const results = await session.run({});
  return new Map(
    Array.from(results, ([output, tensor]): [string, ConstantValue] => {
      const { dims, type } = tensor;
      const name = lookup(given.names, output);
      if (type !== "float32" && type !== "float16") return [name, { dims, type: 0, values: null }];
      const values = Float32Array.from(numbersOf(tensor));
      return [name, { dims, type: type === "float32" ? elementTypes.float : elementTypes.float16, values }];
    }),
  );
}

/** To which type each CastLike casts that a wanted value may be made of, as onnxruntime finds it. */
async function castTypes(
  graph: FileGraph,
  wanted: readonly string[],
  file: string,
): Promise<ReadonlyMap<NodeProto, ElementType>> {
  const casts = wanted.flatMap((name) => [...(sourcesOf(graph, name, isCastLike) ?? [])].filter(isCastLike));
  if (casts.length === 0) return new Map();
  const like = ({ input: [, name = ""] }: NodeProto) => name;
  const given = givenAs(graph, [...new Set(casts.map(like))]);
  const whole = graph.preview();
  const asked = withGraph(whole, { node: [...whole.graph.node, ...given.nodes], output: given.outputs });
  await using session = await FileSession.load(encodeModel(asked), file, { optimization: "disabled" });
  const types = new Map(
    session.outputs.map(({ name, type }) => [lookup(given.names, name), type && elementTypeNamed(type)]),
  );
  return new Map(
    casts.flatMap((node): (readonly [NodeProto, ElementType])[] => {
      const type = types.get(like(node));
      return type ? [[node, type]] : [];
    }),
  );
}

/** Values as outputs whose names the runtime for Node can hand over, whatever their own are. */
function givenAs(graph: FileGraph, values: readonly string[]) {
  const names = new Map(values.map((name) => [graph.freeName("given"), name]));
  const nodes = Array.from(names, ([output, input]) =>
    create(NodeProtoSchema, { opType: "Identity", input: [input], output: [output] }),
  );
  const outputs = Array.from(names.keys(), (name) => create(ValueInfoProtoSchema, { name }));
  return { names, nodes, outputs };
}

const cast = ({ input: [data = ""], output, name }: NodeProto, type: ElementType): NodeProto => {
  const to = create(AttributeProtoSchema, { name: "to", type: AttributeType.INT, i: BigInt(type) });
  return create(NodeProtoSchema, { opType: "Cast", name, input: [data], output, attribute: [to] });
};

/**
 * The nodes that a value is made of; null where one of them is no constant.
 *
 * @param knowsType Of a CastLike, whether what it casts to is known: what it is like need be no constant then.
 */
function sourcesOf(
  graph: FileGraph,
  value: string,
  knowsType: (node: NodeProto) => boolean,
): ReadonlySet<NodeProto> | null {
  const found = new Set<NodeProto>();
  const waiting = [value];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (graph.initializer(name) !== null) continue;
    const maker = graph.makerOf(name);
    if (maker === null || isRandom(maker)) return null;
    if (found.has(maker)) continue;
    found.add(maker);
    waiting.push(...(isCastLike(maker) && knowsType(maker) ? maker.input.slice(0, 1) : readsOf(maker)));
  }
  return found;
}
