import { type FrozenNetwork, type FrozenNode, type FrozenQuantizer, isFrozenLayer } from "../frozen-network.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { encodeModel, imageInput, type Lowered, type LowerOptions, normalizedInput, valueName } from "./model-frame.ts";
import { addPlain, convolutionAttributes, type OrderedWeight, orderedWeight } from "./operators.ts";

/** What sets apart the forms in which every value is float32 between its operators. */
export interface Form {
  readonly doc: string;
  /** Adds the weight; gives the name of its float value. */
  weight(graph: GraphBuilder, weight: OrderedWeight): string;
  /** Adds the quantizer on the value `input`; its float result must be named `output`. */
  quantizer(graph: GraphBuilder, node: FrozenQuantizer, input: string, output: string): void;
  /** Whether a runtime's optimizer must be kept from moving DequantizeLinear over other operators. */
  readonly shielded: boolean;
}

/**
 * Lowers `network` to an ONNX file in `form`. Nodes and values are named after the network's. Equal arguments give
 * equal bytes.
 *
 * @throws Error when the network's nodes do not fit each other.
 */
export function lowerGraph(network: FrozenNetwork, form: Form, options: LowerOptions): Lowered {
  const { first } = imageInput(network);
  const graph = new GraphBuilder();
  const nodes = new Map(network.nodes.map((node) => [node.id, node]));
  const names = new Map(network.nodes.map((node) => [node.id, valueName(network, node)]));
  names.set(first.id, normalizedInput(graph, network, options.input));
  for (const node of network.nodes) {
    const inputs = node.inputs.map((id) => {
      if (!nodes.has(id)) throw new Error(`${node.id}: reads "${id}", which is not in the network`);
      return names.get(id)!;
    });
    lowerNode(graph, network, node, { inputs, output: names.get(node.id)!, form, nodes });
  }
  return {
    bytes: encodeModel(graph, network, { ...options, doc: form.doc }),
    network,
    values: new Map(Array.from(names, ([id, name]) => [id, { name, scale: null, zeroPoint: 0 }])),
    notes: [],
  };
}

interface Place {
  readonly inputs: readonly string[];
  readonly output: string;
  readonly form: Form;
  readonly nodes: ReadonlyMap<string, FrozenNode>;
}

function lowerNode(graph: GraphBuilder, network: FrozenNetwork, node: FrozenNode, place: Place): void {
  const { id: name } = node;
  const { inputs, output, form, nodes } = place;
  if (node.kind === "input") return;
  if (node.kind === "quantizer") {
    form.quantizer(graph, node, inputs[0]!, output);
    return;
  }
  if (isFrozenLayer(node)) {
    const weight = form.weight(graph, orderedWeight(network, node));
    const bias = graph.floats(`${name}.bias`, node.bias, [node.bias.length]);
    // Gemm reads [out, in]: given [in, out], onnxruntime's optimizer replaces a quantized Gemm by MatMulNBits, which
    // quantizes its input to 8 bits on the fly.
    graph.node(node.kind === "dense" ? "Gemm" : "Conv", [inputs[0]!, weight, bias], {
      name,
      output,
      attributes: node.kind === "dense" ? { transB: 1 } : convolutionAttributes(node),
    });
    return;
  }
  const shielded = inputs.map((input, index) => {
    const source = nodes.get(node.inputs[index]!)!;
    if (!form.shielded || source.kind !== "quantizer" || source.bits === 32 || node.kind === "flatten") return input;
    // Max of one value is that value. It keeps onnxruntime's optimizer from moving DequantizeLinear over an operator
    // that has no kernels for 2-, 4- and 16-bit types: such a file would not load.
    return graph.node("Max", [input], { name: `${name}.input${inputs.length > 1 ? index + 1 : ""}` });
  });
  addPlain(graph, network, node, { inputs: shielded, output });
}
