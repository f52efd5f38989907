import { at } from "../../core/elements.ts";
import type { FrozenLayer, IntegerTensor } from "../frozen-network.ts";
import { type Codes, MIDDLE } from "./codes.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { IntegerLayer } from "./integer-weight.ts";
import { layerOperators, type OrderedWeight } from "./layer-operators.ts";
import { channelShape } from "./value-layout.ts";

/**
 * Weight and bias of a layer between DequantizeLinear and QuantizeLinear, which runtimes make one QLinearConv or QGemm
 * of: codes of 8 bits and of int32 with a scale for each output channel.
 */
export function dequantizedParameters(
  graph: GraphBuilder,
  id: string,
  { container, codes, scales, bias, biasScales }: IntegerLayer,
  { order, shape }: OrderedWeight,
): readonly [weight: string, bias: string] {
  const signed = container === "int8";
  const zeroPoint = signed ? 0 : MIDDLE;
  const ordered = Int32Array.from(order, (index) => codes[index]! + zeroPoint);
  const attributes = { axis: 0 };
  const channels = [scales.length];
  const zeros = new Int32Array(scales.length);
  const bytes = { bits: 8, signed } as const;
  const weight = graph.node(
    "DequantizeLinear",
    [
      graph.integers(`${id}.weight.codes`, ordered, shape, bytes),
      graph.floats(`${id}.weight.scale`, scales, channels),
      graph.integers(
        `${id}.weight.zero-point`,
        zeros.map(() => zeroPoint),
        channels,
        bytes,
      ),
    ],
    { name: `${id}.weight.dequantize`, output: `${id}.weight`, attributes },
  );
  const shift = graph.node(
    "DequantizeLinear",
    [
      graph.int32s(`${id}.bias.codes`, bias, channels),
      graph.floats(`${id}.bias.scale`, biasScales, channels),
      graph.int32s(`${id}.bias.zero-point`, zeros, channels),
    ],
    { name: `${id}.bias.dequantize`, output: `${id}.bias`, attributes },
  );
  return [weight, shift];
}

interface IntegerOperation {
  readonly layer: FrozenLayer;
  readonly weight: IntegerTensor;
  /** What the layer reads. */
  readonly codes: Codes;
  readonly ordered: OrderedWeight;
  /** The name of its value, in float32. */
  readonly output: string;
}

/** ConvInteger or MatMulInteger, whose int32 sums become float32 before the bias. */
export function integerOperator(
  graph: GraphBuilder,
  { layer, weight, codes, ordered: { order, shape }, output }: IntegerOperation,
): void {
  const { id } = layer;
  const { opType, attributes, inputsFirst } = layerOperators(layer).integer;
  const [outputs, inputs] = [at(shape, 0), at(shape, 1)];
  const position = (index: number) => (inputsFirst ? (index % outputs) * inputs + Math.floor(index / outputs) : index);
  const stored = Int32Array.from(order, (_, index) => weight.codes[order[position(index)]!]! + MIDDLE);
  const unsigned = { bits: 8, signed: false } as const;
  const sums = graph.node(
    opType,
    [
      codes.name,
      graph.integers(`${id}.weight.codes`, stored, inputsFirst ? [inputs, outputs] : shape, unsigned),
      codes.grid[1],
      graph.integers(`${id}.weight.zero-point`, [MIDDLE], [], unsigned),
    ],
    { name: id, output: `${id}.sums`, attributes },
  );
  const perChannel = typeof weight.scale !== "number";
  const scale = perChannel
    ? graph.floats(
        `${id}.scale`,
        weight.scale.map((step) => codes.scale * step),
        [outputs],
      )
    : graph.floats(`${id}.scale`, [codes.scale * weight.scale], []);
  const products = graph.node("DequantizeLinear", [sums, scale], {
    name: `${id}.dequantize`,
    output: `${id}.products`,
    attributes: perChannel ? { axis: 1 } : {},
  });
  const bias = graph.floats(`${id}.bias`, layer.bias, channelShape(layer));
  graph.node("Add", [products, bias], { name: `${id}.biased`, output });
}
