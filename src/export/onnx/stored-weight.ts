import { elementTypes } from "../../onnx/element-types.ts";
import type { IntegerBits, IntegerTensor } from "../frozen-network.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { OrderedWeight } from "./layer-operators.ts";

/** Adds a weight's codes in `bits` bits and their step, or a step for each output channel, the first axis in the file. */
function addCodes(
  graph: GraphBuilder,
  { layer, shape, order }: OrderedWeight,
  { codes, scale }: IntegerTensor,
  { bits, scaleShape }: { readonly bits: IntegerBits; readonly scaleShape: (channels: number) => readonly number[] },
): readonly [codes: string, scale: string] {
  const name = `${layer.id}.weight`;
  const ordered = Int32Array.from(order, (index) => codes[index]!);
  return [
    graph.integers(`${name}.codes`, ordered, shape, { bits, signed: true }),
    typeof scale === "number"
      ? graph.floats(`${name}.scale`, [scale], [])
      : graph.floats(`${name}.scale`, scale, scaleShape(scale.length)),
  ];
}

/** Adds a weight as its codes in `bits` bits behind DequantizeLinear; gives the name of its float value. */
export function storedWeight(
  graph: GraphBuilder,
  ordered: OrderedWeight,
  weight: IntegerTensor,
  bits: IntegerBits,
): string {
  const output = `${ordered.layer.id}.weight`;
  const parts = addCodes(graph, ordered, weight, { bits, scaleShape: (channels) => [channels] });
  const attributes = typeof weight.scale === "number" ? {} : { axis: 0 };
  return graph.node("DequantizeLinear", parts, { name: `${output}.dequantize`, output, attributes });
}

/**
 * Adds a weight as its codes in `bits` bits, multiplied by their step: runtimes do it once, where they compute what
 * stands behind DequantizeLinear each time; and operator sets before 21 have no DequantizeLinear of int16. Gives the name
 * of its float value.
 */
export function multipliedWeight(
  graph: GraphBuilder,
  ordered: OrderedWeight,
  weight: IntegerTensor,
  bits: IntegerBits,
): string {
  const output = `${ordered.layer.id}.weight`;
  const broadcast = (channels: number) => ordered.shape.map((_, axis) => (axis === 0 ? channels : 1));
  const [codes, scale] = addCodes(graph, ordered, weight, { bits, scaleShape: broadcast });
  const attributes = { to: elementTypes.float };
  const floats = graph.node("Cast", [codes], { name: `${output}.float`, attributes });
  return graph.node("Mul", [floats, scale], { name: `${output}.multiply`, output });
}
