import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { at, first } from "../../core/elements.ts";
import type {
  FrozenAffine,
  FrozenInput,
  FrozenLayer,
  FrozenNetwork,
  FrozenNode,
  FrozenQuantizer,
} from "../frozen-network.ts";
import { addNonlinear } from "./add-nonlinear.ts";
import { asRead } from "./as-read.ts";
import { isImage } from "./axis-layout.ts";
import { addCodedEmbedding, addEmbedding } from "./gathered-rows.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { pads } from "./layer-operators.ts";
import { addMaskedMean } from "./masked-mean-operators.ts";
import { addResize } from "./resize-operator.ts";
import { type Place, sequenceOperators, type Wiring } from "./sequence-operators.ts";
import { alongImage, channelShape, channelsFirst } from "./value-layout.ts";

/** A node whose operator is the same in every form. */
export type PlainNode = Exclude<FrozenNode, FrozenLayer | FrozenQuantizer | FrozenInput>;

/** The operators that a node becomes, the last one named after it. */
const operators: ByKind<PlainNode, [Place], void> = {
  embedding: (node, { graph, inputs, output }) => addEmbedding(node, { graph, tokens: first(inputs), output }),
  "coded-embedding": (node, { graph, inputs, output }) =>
    addCodedEmbedding(node, { graph, tokens: first(inputs), output }),
  "masked-mean": ({ id }, { graph, inputs, output }) => addMaskedMean(id, { graph, inputs, output }),
  relu({ id: name, limit }, { graph, inputs, output }) {
    if (limit === null) graph.node("Relu", inputs, { name, output });
    else {
      const bounds = [graph.floats(`${name}.low`, [0], []), graph.floats(`${name}.high`, [limit], [])];
      graph.node("Clip", [...inputs, ...bounds], { name, output });
    }
  },
  affine: addAffine,
  "max-pool"({ id: name, size, strides, padding }, { graph, inputs, output }) {
    const attributes = { kernel_shape: size, strides, pads: pads(padding) };
    graph.node("MaxPool", inputs, { name, output, attributes });
  },
  "average-pool"({ id: name, size, strides, padding }, { graph, inputs, output }) {
    const attributes = { kernel_shape: size, strides, pads: pads(padding) };
    graph.node("AveragePool", inputs, { name, output, attributes });
  },
  "global-average-pool"({ id: name }, { graph, inputs, output }) {
    const pooled = graph.node("GlobalAveragePool", inputs, { name: `${name}.pooled` });
    graph.node("Flatten", [pooled], { name, output, attributes: { axis: 1 } });
  },
  resize: addResize,
  nonlinear({ id: name, of }, { graph, inputs, output }) {
    addNonlinear(of, { graph, name, input: first(inputs), output });
  },
  add(node, place) {
    place.graph.node("Add", metInputs(node, place), { name: node.id, output: place.output });
  },
  multiply(node, place) {
    place.graph.node("Mul", metInputs(node, place), { name: node.id, output: place.output });
  },
  concat(node, { graph, network, inputs, output }) {
    const { id: name } = node;
    graph.node("Concat", inputs, { name, output, attributes: { axis: channelAxis(network, node) } });
  },
  pad({ id: name, padding, channels }, { graph, inputs, output, zero }) {
    const { top, bottom, left, right } = padding;
    const [before, after] = channels;
    const sizes = graph.int64s(`${name}.sizes`, [0, before, top, left, 0, after, bottom, right]);
    graph.node("Pad", [first(inputs), sizes, ...(zero === undefined ? [] : [zero])], { name, output });
  },
  select(node, { graph, network, inputs, output }) {
    const { id: name, channels } = node;
    const indices = graph.int64s(`${name}.indices`, channels);
    graph.node("Gather", [first(inputs), indices], { name, output, attributes: { axis: channelAxis(network, node) } });
  },
  flatten({ id: name }, { graph, inputs, output }) {
    graph.node("Flatten", inputs, { name, output, attributes: { axis: 1 } });
  },
  ...sequenceOperators,
};

/** The axis of the channels in the file. */
const channelAxis = (network: FrozenNetwork, { id, outputShape }: FrozenNode): number =>
  isImage(network, id) ? 1 : outputShape.length;

function addAffine(node: FrozenAffine, { graph, network, inputs, output }: Place): void {
  const { id: name, shape } = node;
  const [scale, shift] = (["scale", "shift"] as const).map((kind) => {
    if (shape.length === 1) {
      return graph.floats(`${name}.${kind}`, channelsFirst(network, node, node[kind]), channelShape(network, node));
    }
    const along = isImage(network, name) ? alongImage(node[kind], shape) : { values: node[kind], shape };
    return graph.floats(`${name}.${kind}`, along.values, along.shape);
  });
  const scaled = graph.node("Mul", [first(inputs), scale!], { name: `${name}.scaled` });
  graph.node("Add", [scaled, shift!], { name, output });
}

/** What a node reads, vectors that meet images as images of one pixel. */
function metInputs({ id, inputs: ids, outputShape }: PlainNode, { graph, network, inputs }: Place): readonly string[] {
  const shapeOf = (source: string) => network.nodes.find(({ id }) => id === source)?.outputShape ?? [];
  return inputs.map((input, index) => {
    const missing = outputShape.length - shapeOf(at(ids, index)).length;
    if (missing <= 0) return input;
    const ones = isImage(network, id) ? [2, 3] : Array.from({ length: missing }, (_, axis) => axis + 1);
    const axes = graph.int64s(`${id}.axes${index + 1}`, ones);
    return graph.node("Unsqueeze", [input, axes], { name: `${id}.pixel${index + 1}` });
  });
}

/** Adds the operator of a node that has no weight and no grid, named after the node. */
export function addPlain(graph: GraphBuilder, network: FrozenNetwork, node: PlainNode, wiring: Wiring): void {
  const inputs = wiring.inputs.map((name, index) => asRead(graph, network, { node, index, name }));
  applyByKind(operators, node, { ...wiring, inputs, graph, network });
}
