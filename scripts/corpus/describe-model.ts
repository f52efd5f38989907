import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "../../src/data/download/cached-files.ts";
import { typeName } from "../../src/onnx/element-types.ts";
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from "../../src/onnx/generated/onnx_pb.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { type DeclaredSize, declaredTensor } from "../../src/onnx/value-info.ts";

/** An input or output, as the file declares it. */
export interface Port {
  readonly name: string;
  readonly type: string;
  /** Names stand for sizes that are free, null for those that have none. */
  readonly shape: readonly DeclaredSize[];
}

/** What an ONNX file says of itself. */
export interface ModelDescription {
  /** Of the file, and of those that its weights lie in. */
  readonly bytes: number;
  readonly sha256: string;
  readonly producer: string;
  readonly opsets: Readonly<Record<string, number>>;
  /** Nodes, with those of branches, loops and functions. */
  readonly nodes: number;
  readonly operators: Readonly<Record<string, number>>;
  /** Graphs inside nodes: branches and loops. */
  readonly subgraphs: number;
  readonly functions: number;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Elements of constants, by type. */
  readonly weights: Readonly<Record<string, number>>;
  /** Type of most of these. */
  readonly precision: string;
}

/** @throws UserError when the file is not a whole ONNX file. */
export function describeModel(folder: string, file: string): ModelDescription {
  const content = readFileSync(join(folder, file));
  const model = readModel(content, file);
  const graphs = [...graphsOf(model.graph)];
  const nodes = [...graphs.flatMap(({ node }) => node), ...model.functions.flatMap(({ node }) => node)];
  const tensors = [...graphs.flatMap(({ initializer }) => initializer), ...nodes.flatMap(tensorsOf)];
  const weights = sumBy(tensors, ({ dataType }) => typeName(dataType), elements);
  const places = new Set(tensors.flatMap(externalPlace));
  const constants = new Set(model.graph.initializer.map(({ name }) => name));
  return {
    bytes: [...places].reduce((sum, place) => sum + statSync(join(folder, place)).size, content.length),
    sha256: sha256Of(content),
    producer: `${model.producerName} ${model.producerVersion}`.trim(),
    opsets: Object.fromEntries(model.opsetImport.map(({ domain, version }) => [domain || "ai.onnx", Number(version)])),
    nodes: nodes.length,
    operators: sumBy(
      nodes,
      ({ domain, opType }) => (domain ? `${domain}.${opType}` : `${opType}`),
      () => 1,
    ),
    subgraphs: graphs.length - 1,
    functions: model.functions.length,
    inputs: model.graph.input.filter(({ name }) => !constants.has(name)).map(portOf),
    outputs: model.graph.output.map(portOf),
    weights,
    precision: Object.entries(weights).reduce((most, one) => (one[1] > most[1] ? one : most), ["none", 0])[0],
  };
}

/** The graph and all graphs inside its nodes. */
function* graphsOf(graph: GraphProto): Generator<GraphProto> {
  yield graph;
  for (const { attribute } of graph.node) {
    for (const { g, graphs } of attribute) for (const inner of g ? [g] : graphs) yield* graphsOf(inner);
  }
}

const tensorsOf = ({ attribute }: NodeProto): readonly TensorProto[] => attribute.flatMap(({ t }) => (t ? [t] : []));

const elements = ({ dims }: TensorProto): number => dims.reduce((product, size) => product * Number(size), 1);

const externalPlace = ({ externalData }: TensorProto): readonly string[] =>
  externalData.flatMap(({ key, value }) => (key === "location" ? [value] : []));

function portOf(value: ValueInfoProto): Port {
  const declared = declaredTensor(value);
  return { name: value.name, type: typeName(declared?.type), shape: declared?.shape ?? [] };
}

function sumBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  amountOf: (item: Item) => number,
): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const item of items) sums.set(keyOf(item), (sums.get(keyOf(item)) ?? 0) + amountOf(item));
  return Object.fromEntries([...sums].sort(([, one], [, other]) => other - one));
}
