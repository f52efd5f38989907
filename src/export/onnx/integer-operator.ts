import { at } from "../../core/elements.ts";
import type { Codes } from "./codes.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { IntegerFile } from "./integer-file.ts";
import type { IntegerLayer } from "./integer-weight.ts";
import { type IntegerOperators, isRows, type OrderedWeight } from "./layer-operators.ts";
import { channelShape } from "./value-layout.ts";
import type { ShortTensor } from "./weight-storage.ts";

/**
 * Weight and bias of a layer between DequantizeLinear and QuantizeLinear, which runtimes make one QLinearConv or QGemm
 * of: codes of 8 bits and of int32, with one scale or one for each output channel.
 */
export function dequantizedParameters(
  { graph, storage }: Pick<IntegerFile, "graph" | "storage">,
  { ordered, weight, input, integer }: QuantizedLayer,
): readonly [weight: string, bias: string] {
  const { container, multiples, scales, bias } = integer;
  const { layer, order, shape } = ordered;
  const name = `${layer.id}.weight`;
  const { codes, zeroPoint } = storage.codes(graph, {
    name: `${name}.codes`,
    codes: Int32Array.from(order, (index) => at(weight.codes, index)),
    shape,
    axis: 0,
    bits: weight.bits,
    channelBits: weight.channelBits,
    container,
    multiples,
  });
  const inputs = [codes, steps(graph, `${name}.scale`, scales)];
  const zeros = typeof scales === "number" ? [zeroPoint] : new Int32Array(scales.length).fill(zeroPoint);
  const bytes = { bits: 8, signed: container === "int8" } as const;
  // Where the zero point is left out, onnxruntime makes no QGemm of a dense layer with a clip behind it.
  inputs.push(graph.integers(`${name}.zero-point`, zeros, stepShape(scales), bytes));
  const attributes = typeof scales === "number" ? {} : { axis: 0 };
  const values = graph.node("DequantizeLinear", inputs, { name: `${name}.dequantize`, output: name, attributes });
  const biasName = `${layer.id}.bias`;
  const biasScales =
    typeof scales === "number" ? Math.fround(input.scale * scales) : scales.map((scale) => input.scale * scale);
  const biasInputs = [
    graph.int32s(`${biasName}.codes`, bias, [bias.length]),
    steps(graph, `${biasName}.scale`, biasScales),
  ];
  const shift = graph.node("DequantizeLinear", biasInputs, {
    name: `${biasName}.dequantize`,
    output: biasName,
    attributes,
  });
  return [values, shift];
}

/** A layer before a quantizer, with its bias in integers. */
interface QuantizedLayer {
  readonly ordered: OrderedWeight;
  readonly weight: ShortTensor;
  /** What it reads. */
  readonly input: Codes;
  readonly integer: IntegerLayer;
}

/** Adds one step, or one for each output channel. */
const steps = (graph: GraphBuilder, name: string, scales: number | Float32Array): string =>
  graph.floats(name, typeof scales === "number" ? [scales] : scales, stepShape(scales));

const stepShape = (scales: number | Float32Array): readonly number[] =>
  typeof scales === "number" ? [] : [scales.length];

interface IntegerOperation {
  readonly ordered: OrderedWeight;
  readonly weight: ShortTensor;
  readonly operators: IntegerOperators;
  /** What the layer reads. */
  readonly input: Codes;
  /** The name of its value, in float32. */
  readonly output: string;
}

/** ConvInteger or MatMulInteger, whose int32 sums become float32 before the bias. */
export function integerOperator(
  { graph, network, storage }: Pick<IntegerFile, "graph" | "network" | "storage">,
  { ordered: { layer, order, shape }, operators, weight, input, output }: IntegerOperation,
): void {
  const { id } = layer;
  const { opType, attributes, inputsFirst } = operators;
  const [outputs, inputs] = [at(shape, 0), at(shape, 1)];
  const position = (index: number) => (inputsFirst ? (index % outputs) * inputs + Math.floor(index / outputs) : index);
  const { codes, zeroPoint } = storage.codes(graph, {
    name: `${id}.weight.codes`,
    codes: Int32Array.from(order, (_, index) => at(weight.codes, at(order, position(index)))),
    shape: inputsFirst ? [inputs, outputs] : shape,
    axis: inputsFirst ? 1 : 0,
    bits: weight.bits,
    channelBits: weight.channelBits,
    // These two read uint8 alone on some processors.
    container: "uint8",
    multiples: 1,
  });
  const zero = graph.integers(`${id}.weight.zero-point`, [zeroPoint], [], { bits: 8, signed: false });
  const sums = graph.node(opType, [input.name, codes, input.grid[1], zero], {
    name: id,
    output: `${id}.sums`,
    attributes,
  });
  const scales =
    typeof weight.scale === "number" ? input.scale * weight.scale : weight.scale.map((step) => input.scale * step);
  const products = graph.node("DequantizeLinear", [sums, steps(graph, `${id}.scale`, scales)], {
    name: `${id}.dequantize`,
    output: `${id}.products`,
    attributes: typeof scales === "number" ? {} : { axis: isRows(layer) ? layer.outputShape.length : 1 },
  });
  const bias = graph.floats(`${id}.bias`, layer.bias, channelShape(network, layer));
  graph.node("Add", [products, bias], { name: `${id}.biased`, output });
}
