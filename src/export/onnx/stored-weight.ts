import { elementTypes } from "../../onnx/element-types.ts";
import type { IntegerTensor } from "../frozen-network.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { OrderedWeight } from "./layer-operators.ts";
import { addRowCodes, type CommonType } from "./row-codes.ts";
import { type LeastBits, widened, widestBits } from "./stored-widths.ts";

interface WeightCodes {
  readonly ordered: OrderedWeight;
  readonly weight: IntegerTensor;
  /** Bits that an element takes at least. */
  readonly least: LeastBits;
}

/**
 * Adds a weight's codes.
 *
 * @param common The type in which rows of several widths meet; null: the one that holds the widest.
 */
function addCodes(graph: GraphBuilder, { ordered, weight, least }: WeightCodes, common: CommonType | null): string {
  const { layer, shape, order } = ordered;
  const name = `${layer.id}.weight.codes`;
  const codes = Int32Array.from(order, (index) => weight.codes[index]!);
  const channelBits = widened(weight, least);
  if (channelBits !== null) {
    const widest = weight.bits === 16 ? "int16" : "int8";
    return addRowCodes(graph, { name, codes, shape, axis: 0, channelBits }, common ?? widest);
  }
  const stored = graph.integers(name, codes, shape, { bits: widestBits(weight, least), signed: true });
  if (common === null) return stored;
  return graph.node("Cast", [stored], { name: `${layer.id}.weight.float`, attributes: { to: elementTypes[common] } });
}

/** Adds the step of a weight, or a step for each output channel in a shape that `shapeOf` gives. */
function addSteps(
  graph: GraphBuilder,
  { ordered, weight: { scale } }: WeightCodes,
  shapeOf: (channels: number) => readonly number[],
): string {
  const name = `${ordered.layer.id}.weight.scale`;
  return typeof scale === "number" ? graph.floats(name, [scale], []) : graph.floats(name, scale, shapeOf(scale.length));
}

/** Adds a weight as its codes behind DequantizeLinear; gives the name of its float value. */
export function storedWeight(graph: GraphBuilder, weight: WeightCodes): string {
  const output = `${weight.ordered.layer.id}.weight`;
  const parts = [addCodes(graph, weight, null), addSteps(graph, weight, (channels) => [channels])];
  const attributes = typeof weight.weight.scale === "number" ? {} : { axis: 0 };
  return graph.node("DequantizeLinear", parts, { name: `${output}.dequantize`, output, attributes });
}

/**
 * Adds a weight as its codes, multiplied by their step: runtimes do it once, where they compute what stands behind
 * DequantizeLinear each time; and operator sets before 21 have no DequantizeLinear of int16. Gives the name of its float
 * value.
 */
export function multipliedWeight(graph: GraphBuilder, weight: WeightCodes): string {
  const { layer, shape } = weight.ordered;
  const output = `${layer.id}.weight`;
  const floats = addCodes(graph, weight, "float");
  const scale = addSteps(graph, weight, (channels) => shape.map((_, axis) => (axis === 0 ? channels : 1)));
  return graph.node("Mul", [floats, scale], { name: `${output}.multiply`, output });
}
