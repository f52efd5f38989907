import { create } from "@bufbuild/protobuf";
import { elementTypes } from "../onnx/element-types.ts";
import { encodeModel } from "../onnx/encode-model.ts";
import { FileSession } from "../onnx/file-session.ts";
import { type NodeProto, ValueInfoProtoSchema } from "../onnx/generated/onnx_pb.ts";
import { withGraph } from "../onnx/onnx-model.ts";
import { type FileGraph, readsOf } from "./file-graph.ts";
import { numbersOf } from "./output-numbers.ts";

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

/**
 * The values named `wanted` that are no initializers but made of constants alone, by Transpose, Reshape, Constant or any
 * other operators: onnxruntime computes them.
 */
export async function constantValues(
  graph: FileGraph,
  wanted: readonly string[],
  file: string,
): Promise<ReadonlyMap<string, ConstantValue>> {
  const made = [...new Set(wanted)].filter((name) => graph.makerOf(name) !== null);
  const needed = new Set<NodeProto>();
  const constant = made.filter((name) => collect(graph, name, needed));
  if (constant.length === 0) return new Map();
  const { model } = graph;
  const nodes = graph.nodes.filter((node) => needed.has(node));
  const read = new Set(nodes.flatMap((node) => [...readsOf(node)]));
  const part = withGraph(model, {
    node: nodes,
    initializer: model.graph.initializer.filter(({ name }) => read.has(name)),
    input: [],
    output: constant.map((name) => create(ValueInfoProtoSchema, { name })),
  });
  await using session = await FileSession.load(encodeModel(part), file);
  const results = await session.run({});
  return new Map(
    Array.from(results, ([name, tensor]): [string, ConstantValue] => {
      const { dims, type } = tensor;
      if (type !== "float32" && type !== "float16") return [name, { dims, type: 0, values: null }];
      const values = Float32Array.from(numbersOf(tensor));
      return [name, { dims, type: type === "float32" ? elementTypes.float : elementTypes.float16, values }];
    }),
  );
}

/** Collects the nodes that a value is made of; false, without any of them, where one of them is no constant. */
function collect(graph: FileGraph, value: string, into: Set<NodeProto>): boolean {
  const found = new Set<NodeProto>();
  const waiting = [value];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (graph.initializer(name) !== null) continue;
    const maker = graph.makerOf(name);
    if (maker === null || isRandom(maker)) return false;
    if (found.has(maker)) continue;
    found.add(maker);
    waiting.push(...readsOf(maker));
  }
  for (const node of found) into.add(node);
  return true;
}
