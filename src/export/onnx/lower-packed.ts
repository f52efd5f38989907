import { tuple } from "../../core/tuple.ts";
import { elementsOf } from "../../graph/shape.ts";
import { codeLimits, stepSize } from "../../quantization/grid.ts";
import type { FrozenNetwork, FrozenQuantizer } from "../frozen-network.ts";
import { isImage } from "./axis-layout.ts";
import { addClip } from "./clip.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { OrderedWeight } from "./layer-operators.ts";
import { floatWeight } from "./lower-fp32.ts";
import { type Form, lowerGraph } from "./lower-graph.ts";
import type { Lowered, LowerOptions } from "./model-frame.ts";
import { storedWeight } from "./stored-weight.ts";

/**
 * An ONNX file in the `packed` form: every tensor at its bit-width, INT2, INT4 (3 bits too), INT8 or INT16 weights packed
 * without gaps and UINT/INT activations between QuantizeLinear and DequantizeLinear; float32 where 32 bits were
 * learned. The operator set is the lowest that has the types used: 25, 21 or 13.
 */
export function lowerPacked(network: FrozenNetwork, options: LowerOptions): Lowered {
  const apart = apartOf(network);
  const packed: Form = {
    doc: "Weights and activations at their learned bit-widths, packed.",
    weight: packedWeight,
    quantizer: (graph, node, input, output) =>
      packedQuantizer(graph, node, { input, output, apart: apart.has(node), image: isImage(network, node.id) }),
    shielded: true,
  };
  return lowerGraph(network, packed, options);
}

/**
 * Quantizers of 2 and 4 bits whose codes have the shape of wider ones. onnxruntime gives a tensor the memory of an
 * earlier one with the same shape and element size, and takes the size of packed elements for that of a byte: the
 * wider codes would overwrite what lies behind. Codes of such a quantizer get a shape of their own.
 */
function apartOf(network: FrozenNetwork): ReadonlySet<FrozenQuantizer> {
  const quantizers = network.nodes.filter((node): node is FrozenQuantizer => node.kind === "quantizer");
  const widest = new Map<string, number>();
  for (const { bits, outputShape } of quantizers) {
    if (bits <= 8) widest.set(`${outputShape}`, Math.max(bits, widest.get(`${outputShape}`) ?? 0));
  }
  // A shape that only wider values have, of 16 or 32 bits, is in no need.
  return new Set(quantizers.filter(({ bits, outputShape }) => bits < (widest.get(`${outputShape}`) ?? 0)));
}

function packedWeight(graph: GraphBuilder, ordered: OrderedWeight): string {
  const { weight } = ordered.layer;
  return weight.bits === 32 ? floatWeight(graph, ordered) : storedWeight(graph, { ordered, weight, least: 2 });
}

function channelsFirst(shape: readonly number[]): readonly number[] {
  const [height, width, channels] = tuple(shape, 3);
  return [channels, height, width];
}

interface Place {
  readonly input: string;
  readonly output: string;
  readonly apart: boolean;
  readonly image: boolean;
}

function packedQuantizer(graph: GraphBuilder, node: FrozenQuantizer, { input, output, apart, image }: Place): void {
  const { id, bits, signed, xMax, outputShape } = node;
  if (bits === 32) {
    addClip(graph, node, input, output);
    return;
  }
  if (apart) {
    // [batch, elements, 1 …], with as many ones as no other width has.
    const elements = elementsOf(outputShape);
    const ones = bits === 4 ? [1] : [1, 1, 1];
    const flat = graph.int64s(`${id}.apart.shape`, [0, elements, ...ones]);
    const own = graph.int64s(`${id}.shape`, [0, ...(image ? channelsFirst(outputShape) : outputShape)]);
    const reshaped = graph.node("Reshape", [input, flat], { name: `${id}.apart` });
    packedQuantizer(graph, node, { input: reshaped, output: `${id}.flat`, apart: false, image });
    // Max of one value keeps the optimizer from moving DequantizeLinear over Reshape.
    const shielded = graph.node("Max", [`${id}.flat`], { name: `${id}.shield` });
    graph.node("Reshape", [shielded, own], { name: `${id}.reshape`, output });
    return;
  }
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
