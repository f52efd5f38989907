import { first } from "../../core/elements.ts";
import { stepSize } from "../../quantization/grid.ts";
import type { FrozenLayer } from "../frozen-network.ts";
import type { FloatTensor } from "../frozen-tensor.ts";
import { asRead } from "./as-read.ts";
import { addBlockDense } from "./block-dense.ts";
import { codebookText, codebookWeight } from "./codebook-weight.ts";
import type { Codes } from "./codes.ts";
import type { IntegerFile } from "./integer-file.ts";
import { dequantizedParameters, integerOperator } from "./integer-operator.ts";
import { type IntegerLayer, integerLayer } from "./integer-weight.ts";
import { addFloatOperator, isRows, layerOperators, orderedWeight } from "./layer-operators.ts";
import { floatWeight } from "./lower-fp32.ts";
import { storedTypes } from "./stored-widths.ts";
import { isShort, type ShortTensor } from "./weight-storage.ts";

/** Largest share of an output step by which rounding to int32 may move a bias. */
const LARGEST_SHIFT = 1 / 32;

/** Adds a layer: in integers where it reads codes and has a weight of 8 bits or less, else in float32. */
export function addLayer(layer: FrozenLayer, file: IntegerFile): void {
  const { weight } = layer;
  if (file.storage.blockDense && layer.kind === "dense" && isShort(weight)) {
    file.notes.push(
      `${layer.id} computes in float32: MatMulNBits; its weight is stored in ${storedTypes(weight, file.storage.least)}`,
    );
    addBlockDense(file.graph, {
      ordered: orderedWeight(file.network, layer),
      weight,
      input: floatInput(layer, file),
      output: file.own(layer),
    });
    return;
  }
  const input = file.codes.get(first(layer.inputs));
  const { integer: operators } = layerOperators(layer);
  if (input === undefined || !isShort(weight) || operators === null) {
    addFloatLayer(layer, file);
    return;
  }
  const integer = isRows(layer) ? null : integerBehind(layer, weight, input, file);
  const place = { ordered: orderedWeight(file.network, layer), weight, input };
  if (integer === null) {
    const name = asRead(file.graph, file.network, { node: layer, index: 0, name: input.name });
    integerOperator(file, { ...place, input: { ...input, name }, operators, output: file.own(layer) });
    return;
  }
  if (integer.saturates) file.saturating.push(layer.id);
  file.biases.set(layer.id, integer.biasValues);
  const parameters = dequantizedParameters(file, { ...place, integer });
  addOperator(layer, file, [floatInput(layer, file), ...parameters]);
}

/** What a layer reads, in float32. */
const floatInput = (layer: FrozenLayer, file: IntegerFile): string =>
  asRead(file.graph, file.network, { node: layer, index: 0, name: file.float(first(layer.inputs)) });

/** How a weight may fit 8 bits, the best first. */
const fits = [
  { container: "int8", shared: true },
  { container: "int8", shared: false },
  { container: "uint8", shared: false },
] as const;

/** Weight and bias for a layer before a quantizer; null where there is none, or the bias would move too far. */
function integerBehind(layer: FrozenLayer, weight: ShortTensor, input: Codes, file: IntegerFile): IntegerLayer | null {
  const step = stepBehind(layer, file);
  if (step === null) return null;
  const pairs = layer.kind !== "depthwise-conv2d";
  const { saturation = "avoid" } = file.options;
  for (const fit of fits) {
    if (fit.shared && !file.storage.sharedMultiples) continue;
    const integer = integerLayer({ weight, bias: layer.bias, input, pairs, saturation, ...fit });
    if (integer !== null && integer.largestShift <= LARGEST_SHIFT * step) return integer;
  }
  return null;
}

/** The step of the 8-bit quantizer that alone reads a layer; null when something else does. */
function stepBehind(layer: FrozenLayer, file: IntegerFile): number | null {
  const [reader, ...others] = file.readers(layer.id);
  if (reader?.kind !== "quantizer" || others.length > 0 || reader.bits > 8 || reader.id === file.network.output) {
    return null;
  }
  return stepSize(reader.bits, reader);
}

/** Adds a layer that computes in float32, with its weight in its own bits, or in 8. */
function addFloatLayer(layer: FrozenLayer, file: IntegerFile): void {
  const { id, weight } = layer;
  const { graph } = file;
  const readsCodes = file.codes.has(first(layer.inputs));
  const why = whyFloat(layer, readsCodes);
  const type = weight.bits === 32 ? floatText(weight) : storedTypes(weight, file.storage.least);
  file.notes.push(`${id} computes in float32: ${why}; its weight is stored in ${type}`);
  const input = floatInput(layer, file);
  addOperator(layer, file, [
    // Max of one value is that value: without it onnxruntime's optimizer would quantize the weight to 8 bits.
    readsCodes ? graph.node("Max", [input], { name: `${id}.input` }) : input,
    floatValue(layer, file),
    graph.floats(`${id}.bias`, layer.bias, [layer.bias.length]),
  ]);
}

function whyFloat(layer: FrozenLayer, readsCodes: boolean): string {
  if (!readsCodes) return "it reads float32 values";
  const { integer } = layerOperators(layer);
  return integer === null ? "ONNX has no integer operator for it" : `its weight has ${layer.weight.bits} bits`;
}

const floatText = ({ codebook }: FloatTensor): string =>
  codebook === undefined ? "float32" : `${codebookText(codebook)}, all of it float32 in memory`;

function floatValue(layer: FrozenLayer, { graph, network, storage }: IntegerFile): string {
  const { weight } = layer;
  const ordered = orderedWeight(network, layer);
  if (weight.bits !== 32) return storage.floats(graph, ordered, weight);
  const { codebook } = weight;
  return codebook === undefined ? floatWeight(graph, ordered) : codebookWeight(graph, ordered, { ...weight, codebook });
}

function addOperator(
  layer: FrozenLayer,
  file: IntegerFile,
  inputs: readonly [input: string, weight: string, bias: string],
): void {
  addFloatOperator(file.graph, layer, inputs, { output: file.own(layer) });
}
