import { codeLimits, stepSize } from "../../quantization/grid.ts";
import type { FrozenNetwork, FrozenQuantizer } from "../frozen-network.ts";
import { addClip } from "./clip.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { type Form, lowerGraph } from "./lower-graph.ts";
import type { Lowered, LowerOptions } from "./model-frame.ts";
import type { OrderedWeight } from "./operators.ts";

/**
 * The `packed` form: every tensor at its learned bit-width, INT2, INT4, INT8 or INT16 weights packed without gaps and
 * UINT/INT activations between QuantizeLinear and DequantizeLinear; float32 where 32 bits were learned.
 */
const packed: Form = {
  doc: "Weights and activations at their learned bit-widths, packed.",
  weight: packedWeight,
  quantizer: packedQuantizer,
  shielded: true,
};

/** An ONNX file in the `packed` form. The operator set is the lowest that has the types used: 25, 21 or 13. */
export const lowerPacked = (network: FrozenNetwork, options: LowerOptions): Lowered =>
  lowerGraph(network, packed, options);

function packedWeight(graph: GraphBuilder, { layer, shape, order }: OrderedWeight): string {
  const name = `${layer.id}.weight`;
  const { weight } = layer;
  if (weight.bits === 32) {
    return graph.floats(
      name,
      Float32Array.from(order, (index) => weight.values[index]!),
      shape,
    );
  }
  const ordered = Int32Array.from(order, (index) => weight.codes[index]!);
  const codes = graph.integers(`${name}.codes`, ordered, shape, { bits: weight.bits, signed: true });
  const scale = graph.floats(`${name}.scale`, [weight.scale], []);
  return graph.node("DequantizeLinear", [codes, scale], { name: `${name}.dequantize`, output: name });
}

function packedQuantizer(graph: GraphBuilder, node: FrozenQuantizer, input: string, output: string): void {
  const { id, bits, signed, xMax } = node;
  if (bits === 32) return addClip(graph, node, input, output);
  const step = stepSize(bits, { xMax, signed });
  const [lowest, highest] = codeLimits(bits, signed);
  // QuantizeLinear reaches -2^(bits-1), the symmetric grid does not. Clipping to the outermost codes rather than to
  // ±xMax stays clear of the tie half a step further out, where float32 could round past the grid.
  const above = signed ? bound(graph, "Max", input, { name: `${id}.low`, value: lowest * step }) : input;
  const clipped = bound(graph, "Min", above, { name: `${id}.high`, value: highest * step });
  const scale = graph.floats(`${id}.scale`, [step], []);
  const zeroPoint = graph.integers(`${id}.zero-point`, [0], [], { bits, signed });
  const quantize = { name: `${id}.quantize`, output: `${id}.codes` };
  const codes = graph.node("QuantizeLinear", [clipped, scale, zeroPoint], quantize);
  graph.node("DequantizeLinear", [codes, scale, zeroPoint], { name: `${id}.dequantize`, output });
}

/**
 * One side of a clip before QuantizeLinear. It is no Clip, and an unsigned grid has its upper side too, because
 * onnxruntime's optimizer folds a Clip or a Relu into QuantizeLinear and moves QuantizeLinear over a MaxPool without
 * asking whether the kernels know the type: such a file of 2, 4 or 16 bits would not load.
 */
function bound(
  graph: GraphBuilder,
  opType: "Min" | "Max",
  input: string,
  { name, value }: { readonly name: string; readonly value: number },
): string {
  return graph.node(opType, [input, graph.floats(`${name}.bound`, [value], [])], { name });
}
