import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { at } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import {
  type FrozenLayer,
  type FrozenNetwork,
  type FrozenNode,
  type FrozenQuantizer,
  isFrozenLayer,
} from "../frozen-network.ts";
import { asRead, isTurned } from "./as-read.ts";
import { type Attribute, GraphBuilder } from "./graph-builder.ts";
import { addFloatOperator, isRows, type OrderedWeight, orderedWeight } from "./layer-operators.ts";
import { encodeModel, inputNode, type Lowered, type LowerOptions, normalizedInput, valueName } from "./model-frame.ts";
import { addPlain, type PlainNode } from "./operators.ts";

/** What sets apart the forms in which every value is float32 between its operators. */
export interface Form {
  readonly doc: string;
  /** Adds the weight; gives the name of its float value. */
  weight(graph: GraphBuilder, weight: OrderedWeight): string;
  /** Adds the quantizer on the value `input`; its float result must be named `output`. */
  quantizer(graph: GraphBuilder, node: FrozenQuantizer, input: string, output: string): void;
  /** What the user should know of how a layer's weight is written; null: nothing. */
  note?(layer: FrozenLayer): string | null;
  /** Whether a runtime's optimizer must be kept from moving DequantizeLinear over other operators. */
  readonly shielded: boolean;
  /** Attributes of a convolution that are ONNX's defaults, where readers want them written. */
  readonly convolution?: Readonly<Record<string, Attribute>>;
}

/**
 * Lowers `network` to an ONNX file in `form`. Nodes and values are named after the network's. Equal arguments give
 * equal bytes.
 *
 * @throws Error when the network's nodes do not fit each other.
 */
export function lowerGraph(network: FrozenNetwork, form: Form, options: LowerOptions): Lowered {
  const graph = new GraphBuilder();
  const nodes = new Map(network.nodes.map((node) => [node.id, node]));
  const names = new Map(network.nodes.map((node) => [node.id, valueName(network, node)]));
  names.set(inputNode(network).id, normalizedInput(graph, network, options.input));
  for (const node of network.nodes) {
    const inputs = node.inputs.map((id) => {
      if (!nodes.has(id)) throw new Error(`${node.id}: reads "${id}", which is not in the network`);
      return lookup(names, id);
    });
    applyByKind(rules, node, { graph, network, inputs, output: lookup(names, node.id), form, nodes });
  }
  return {
    bytes: encodeModel(graph, network, { ...options, doc: form.doc }),
    network,
    values: new Map(Array.from(names, ([id, name]) => [id, { name, scale: null, zeroPoint: 0 }])),
    notes: network.nodes.filter(isFrozenLayer).flatMap((layer) => form.note?.(layer) ?? []),
  };
}

interface Place {
  readonly graph: GraphBuilder;
  readonly network: FrozenNetwork;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly form: Form;
  readonly nodes: ReadonlyMap<string, FrozenNode>;
}

/** How each kind of node becomes operators on float32 values. */
const rules: ByKind<FrozenNode, [Place], void> = {
  // The file's own input, normalised.
  input: () => {},
  conv2d: layer,
  "depthwise-conv2d": layer,
  "conv-transpose": layer,
  dense: layer,
  embedding: plain,
  "coded-embedding": plain,
  affine: shielded,
  "max-pool": shielded,
  "average-pool": shielded,
  "global-average-pool": shielded,
  "masked-mean": shielded,
  resize: shielded,
  relu: shielded,
  nonlinear: shielded,
  add: shielded,
  multiply: shielded,
  concat: shielded,
  pad: shielded,
  select: shielded,
  flatten: plain,
  reshape: shielded,
  transpose: shielded,
  slice: shielded,
  softmax: shielded,
  "masked-softmax": shielded,
  "token-mask": plain,
  "layer-norm": shielded,
  matmul: shielded,
  quantizer: (node, { graph, form, inputs, output }) => form.quantizer(graph, node, at(inputs, 0), output),
};

function plain(node: PlainNode, { graph, network, inputs, output }: Place): void {
  addPlain(graph, network, node, { inputs, output });
}

function layer(node: FrozenLayer, place: Place): void {
  const { graph, network, form, inputs, output } = place;
  const { id: name, bias: values } = node;
  const weight = form.weight(graph, orderedWeight(network, node));
  const bias = graph.floats(`${name}.bias`, values, [values.length]);
  const isShielded = isRows(node) || node.inputs.some((source) => isTurned(network, node, source));
  const [read] = isShielded ? behindMax(node, place) : inputs;
  const input = asRead(graph, network, { node, index: 0, name: read ?? "" });
  addFloatOperator(graph, node, [input, weight, bias], { output, defaults: form.convolution ?? {} });
}

/** A node behind {@link behindMax}. */
function shielded(node: PlainNode, place: Place): void {
  addPlain(place.graph, place.network, node, { inputs: behindMax(node, place), output: place.output });
}

/**
 * What a node reads behind Max nodes of one value, which are that value. They keep onnxruntime's optimizer from moving
 * DequantizeLinear over an operator that has no kernels for 2-, 4- and 16-bit types: such a file would not load.
 */
function behindMax(node: FrozenNode, { graph, form, nodes, inputs }: Place): readonly string[] {
  return inputs.map((input, index) => {
    const source = lookup(nodes, at(node.inputs, index));
    if (!form.shielded || source.kind !== "quantizer" || source.bits === 32) return input;
    return graph.node("Max", [input], { name: `${node.id}.input${inputs.length > 1 ? index + 1 : ""}` });
  });
}
