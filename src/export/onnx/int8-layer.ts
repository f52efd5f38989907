import { first } from "../../core/elements.ts";
import { stepSize } from "../../quantization/grid.ts";
import type { FrozenLayer, FrozenTensor, IntegerTensor } from "../frozen-network.ts";
import type { Codes } from "./codes.ts";
import type { Int8File } from "./int8-file.ts";
import { dequantizedParameters, integerOperator } from "./integer-operator.ts";
import { type IntegerLayer, integerLayer } from "./integer-weight.ts";
import { layerOperators, orderedWeight } from "./layer-operators.ts";
import { floatWeight } from "./lower-fp32.ts";
import { multipliedWeight, storedWeight } from "./stored-weight.ts";

/** Largest share of an output step by which rounding to int32 may move a bias. */
const LARGEST_SHIFT = 1 / 32;

/** Adds a layer: in integers where it reads codes and has a weight of 8 bits or less, else in float32. */
export function addLayer(layer: FrozenLayer, file: Int8File): void {
  const { weight } = layer;
  const { graph, network } = file;
  const codes = file.codes.get(first(layer.inputs));
  if (codes === undefined || weight.bits === 32 || weight.bits === 16) {
    addFloatLayer(layer, file);
    return;
  }
  const integer = integerBehind(layer, weight, codes, file);
  if (integer === null) {
    integerOperator(graph, {
      layer,
      weight,
      codes,
      ordered: orderedWeight(network, layer),
      output: file.own(layer),
    });
    return;
  }
  file.biases.set(layer.id, integer.biasValues);
  const parameters = dequantizedParameters(graph, layer.id, integer, orderedWeight(network, layer));
  addOperator(layer, file, [file.float(first(layer.inputs)), ...parameters]);
}

/** Weight and bias for a layer before a quantizer; null where there is none, or the bias would move too far. */
function integerBehind(layer: FrozenLayer, weight: IntegerTensor, input: Codes, file: Int8File): IntegerLayer | null {
  const step = stepBehind(layer, file);
  if (step === null) return null;
  const pairs = layer.kind !== "depthwise-conv2d";
  for (const container of ["int8", "uint8"] as const) {
    const integer = integerLayer({ weight, bias: layer.bias, input, container, pairs });
    if (integer !== null && integer.largestShift <= LARGEST_SHIFT * step) return integer;
  }
  return null;
}

/** The step of the 8-bit quantizer that alone reads a layer; null when something else does. */
function stepBehind(layer: FrozenLayer, file: Int8File): number | null {
  const [reader, ...others] = file.readers(layer.id);
  if (reader?.kind !== "quantizer" || others.length > 0 || reader.bits > 8 || reader.id === file.network.output) {
    return null;
  }
  return stepSize(reader.bits, reader);
}

/** Adds a layer that computes in float32, with its weight in its own bits, or in 8. */
function addFloatLayer(layer: FrozenLayer, file: Int8File): void {
  const { id, weight } = layer;
  const { graph } = file;
  const readsCodes = file.codes.has(first(layer.inputs));
  const why = readsCodes ? `its weight has ${weight.bits} bits` : "it reads float32 values";
  file.notes.push(`${id} computes in float32: ${why}; its weight is stored in ${containerOf(weight)}`);
  const input = file.float(first(layer.inputs));
  addOperator(layer, file, [
    // Max of one value is that value: without it onnxruntime's optimizer would quantize the weight to 8 bits.
    readsCodes ? graph.node("Max", [input], { name: `${id}.input` }) : input,
    floatValue(layer, file),
    graph.floats(`${id}.bias`, layer.bias, [layer.bias.length]),
  ]);
}

function floatValue(layer: FrozenLayer, { graph, network }: Int8File): string {
  const { weight } = layer;
  const ordered = orderedWeight(network, layer);
  if (weight.bits === 32) return floatWeight(graph, ordered);
  return weight.bits === 16 ? multipliedWeight(graph, ordered, weight) : storedWeight(graph, ordered, weight, 8);
}

const containerOf = ({ bits }: FrozenTensor) => (bits === 32 ? "float32" : bits === 16 ? "int16" : "int8");

function addOperator(layer: FrozenLayer, file: Int8File, inputs: readonly string[]): void {
  const { opType, attributes } = layerOperators(layer).float;
  file.graph.node(opType, inputs, { name: layer.id, output: file.own(layer), attributes });
}
