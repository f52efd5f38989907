import { first } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { NodeId } from "../graph/graph.ts";
import { channelsOf, elementsOf } from "../graph/shape.ts";
import { inputsOf, nodesById, type Readers, readersOf } from "../graph/walk.ts";
import {
  isLayer,
  isProductLayer,
  isShift,
  kindOf,
  type LayerNode,
  type Network,
  type Node,
  type ShiftNode,
} from "../kinds/index.ts";
import type { QuantizerNode } from "../kinds/quantizer.ts";
import { outputShapes } from "./output-shapes.ts";

/** A layer with weights, as bit operations, pruning, reports and export see it. */
export interface Layer {
  readonly node: LayerNode;
  readonly name: string;
  readonly kind: LayerNode["kind"];
  readonly weight: NodeId;
  readonly shift: ShiftNode | null;
  readonly weightShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Weights, and one bias for each output where something is added: a batch normalization counts as it is folded in. */
  readonly parameters: number;
  readonly weightQuantizer: NodeId | null;
  /** The quantizer of the activation it reads; null: none, or the network's input. */
  readonly inputQuantizer: NodeId | null;
  /** Whether it reads the network's input and that is of pixels, which count as 8 bits. */
  readonly readsPixels: boolean;
  /** The layer before it on a straight chain, with nothing between that reads others too; null: there is none. */
  readonly previous: string | null;
}

/** The shift that alone reads a layer; null: there is none. What an embedding gives is no sum that it could join. */
export function shiftOf(layer: LayerNode, readers: Readers<Node>): ShiftNode | null {
  const { id } = layer;
  if (!isProductLayer(layer)) return null;
  const [reader, ...others] = readers.get(id) ?? [];
  return reader !== undefined && others.length === 0 && isShift(reader) && reader.inputs[0] === id ? reader : null;
}

/** The node that `id` has its values from: itself, or what stands before pooling, padding and flattening. */
export function sourceOf(nodes: ReadonlyMap<NodeId, Node>, id: NodeId): Node {
  let node = lookup(nodes, id);
  while (kindOf(node).grid === "kept") node = lookup(nodes, first(inputsOf(node)));
  return node;
}

/** The layers of a network with and without quantizers, in order. */
export function layersOf(network: Network): readonly Layer[] {
  const nodes = nodesById(network);
  const shapes = outputShapes(network);
  const readers = readersOf(network);
  return network.nodes.filter(isLayer).map((node) => {
    const [data, weightInput] = node.inputs;
    const { weight, quantizer } = weightOf(nodes, weightInput);
    const shift = shiftOf(node, readers);
    const source = sourceOf(nodes, data);
    const weightShape = lookup(shapes, weight);
    const outputShape = lookup(shapes, node.id);
    return {
      node,
      name: node.id,
      kind: node.kind,
      weight,
      shift,
      weightShape,
      outputShape,
      macs: kindOf(node).macs!([lookup(shapes, data), weightShape], outputShape),
      parameters: elementsOf(weightShape) + (shift === null ? 0 : channelsOf(outputShape)),
      weightQuantizer: quantizer?.id ?? null,
      inputQuantizer: source.kind === "quantizer" ? source.id : null,
      readsPixels: source.kind === "input" && source.values !== true,
      previous: previousLayer(nodes, data),
    };
  });
}

/** The parameter behind a layer's weight, and the quantizer between. */
function weightOf(
  nodes: ReadonlyMap<NodeId, Node>,
  id: NodeId,
): { readonly weight: NodeId; readonly quantizer: QuantizerNode | null } {
  let node = lookup(nodes, id);
  const quantizer = node.kind === "quantizer" ? node : null;
  while (node.kind !== "parameter") node = lookup(nodes, first(inputsOf(node)));
  return { weight: node.id, quantizer };
}

function previousLayer(nodes: ReadonlyMap<NodeId, Node>, id: NodeId): NodeId | null {
  for (let node = nodes.get(id); node !== undefined; node = nodes.get(inputsOf(node)[0] ?? "")) {
    if (isLayer(node)) return node.id;
    if (kindOf(node).channels.inputs !== "first") return null;
  }
  return null;
}
