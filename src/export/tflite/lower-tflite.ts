import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { at, first } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import type { FrozenAdd, FrozenInput, FrozenNetwork, FrozenNode } from "../frozen-network.ts";
import { fileMetadata, imageInput, inputName, type Lowered, pixelGrid, withBiases } from "../onnx/model-frame.ts";
import { scaleOf } from "./codes-behind.ts";
import { refuseSequences, refuseTokens, refuseValues } from "./refused-kinds.ts";
import { TensorType } from "./tflite-builder.ts";
import { type TfliteCodes, TfliteFile, type TfliteOptions } from "./tflite-file.ts";
import { addLayer } from "./tflite-layer.ts";
import { addPlain, type PlainImageNode } from "./tflite-operators.ts";
import { type OperatorName, optionsOf } from "./tflite-options.ts";
import { addQuantizer } from "./tflite-quantizer.ts";

/**
 * Longest step of an addend in steps of its sum's quantizer. LiteRT adds codes with multipliers of some 20 bits: of a
 * longer step the sum would be off by more than 1e-4 steps of the result.
 */
const LONGEST_ADDEND = 2;

/** A network as a TensorFlow Lite file. */
export interface LoweredTflite extends Lowered {
  /** The kinds of its operators. */
  readonly operators: readonly OperatorName[];
  /** The same file with more of its values among its outputs. */
  withOutputs(shown: readonly string[]): Uint8Array;
}

/**
 * A TensorFlow Lite file: 2-, 3-, 4- and 8-bit tensors as int8, weights of dense layers with 4 bits or less as int4; a
 * weight has a scale for each output channel, its bias is int32; a layer computes in integers where it reads codes and a quantizer of 8 bits or less reads it alone.
 * What is wider computes in float32, as do sums that something reads as they are. Images are [batch, height, width,
 * channels]; the file says a batch of 1, which a program may widen.
 */
export function lowerTflite(network: FrozenNetwork, options: TfliteOptions): LoweredTflite {
  const file = new TfliteFile(network, options);
  for (const node of network.nodes) if (!file.merged.has(node.id)) applyByKind(rules, node, file);
  const output = file.float(network.output);
  const withOutputs = (shown: readonly string[]) =>
    file.builder.encode({
      name: network.name,
      doc: `${network.name}: 2-, 4- and 8-bit tensors in int4 and int8, wider ones in float32.`,
      input: inputName,
      output,
      shown,
      metadata: fileMetadata(network, options),
    });
  return {
    bytes: withOutputs([]),
    network: withBiases(network, file.biases),
    values: file.values,
    notes: file.notes,
    operators: file.builder.operatorKinds,
    withOutputs,
  };
}

/** How each kind of node is written. */
const rules: ByKind<FrozenNode, [TfliteFile], void> = {
  input: addInput,
  conv2d: addLayer,
  "depthwise-conv2d": addLayer,
  "conv-transpose": addLayer,
  dense: (node, file) => (node.outputShape.length > 1 ? refuseSequences(node) : addLayer(node, file)),
  embedding: refuseTokens,
  "coded-embedding": refuseTokens,
  affine: onFloats,
  "max-pool": onCodes,
  "average-pool": onFloats,
  "global-average-pool": onFloats,
  "masked-mean": refuseTokens,
  resize: refuseSequences,
  relu: onFloats,
  nonlinear: onFloats,
  add: addSum,
  multiply: onFloats,
  concat: sideBySide,
  pad: onCodes,
  select: onCodes,
  flatten: onCodes,
  reshape: refuseSequences,
  transpose: refuseSequences,
  slice: refuseSequences,
  softmax: refuseSequences,
  "masked-softmax": refuseTokens,
  "token-mask": refuseTokens,
  "layer-norm": refuseSequences,
  matmul: refuseSequences,
  quantizer: addQuantizer,
};

/** What int8 pixels are less than uint8 ones. */
const OFFSET = 128;

/** Pixels are codes themselves where one scale and a whole zero point serve all channels. */
function addInput(node: FrozenInput, file: TfliteFile): void {
  const { network, options, builder } = file;
  if (node.dtype === "int32") refuseTokens(node);
  if (node.outputShape.length !== 3) refuseValues(node);
  const shape = imageInput(network).image;
  if (options.input === "float" || network.normalization === null) {
    file.hasFloat(node, builder.value(inputName, { shape }));
    return;
  }
  const ofPixels = pixelGrid(network);
  const isSigned = options.input === "int8";
  if (ofPixels !== null) {
    const grid = { ...ofPixels, zeroPoint: ofPixels.zeroPoint - OFFSET };
    const name = builder.value(isSigned ? inputName : `${inputName}.codes`, { shape, type: TensorType.INT8, grid });
    if (!isSigned) {
      builder.operator("Quantize", [builder.value(inputName, { shape, type: TensorType.UINT8, grid: ofPixels })], name);
    }
    file.codes.set(node.id, { name, ...grid, limits: [-OFFSET - grid.zeroPoint, OFFSET - 1 - grid.zeroPoint] });
    return;
  }
  const type = isSigned ? TensorType.INT8 : TensorType.UINT8;
  const pixels = builder.value(inputName, { shape, type });
  const cast = optionsOf.cast(type, TensorType.FLOAT32);
  const float = builder.operator("Cast", [pixels], builder.value(`${inputName}.float`, { shape }), cast);
  const { mean, deviation } = network.normalization;
  const channels = [mean.length];
  const factors = builder.floats(
    `${inputName}.scale`,
    deviation.map((value) => 1 / (255 * value)),
    channels,
  );
  const shifts = builder.floats(
    `${inputName}.shift`,
    mean.map((value, channel) => (value - (isSigned ? OFFSET / 255 : 0)) / at(deviation, channel)),
    channels,
  );
  const scaled = builder.operator("Mul", [float, factors], builder.value(`${inputName}.scaled`, { shape }));
  builder.operator("Sub", [scaled, shifts], file.own(node));
}

/** A node that computes on float32 values. */
function onFloats(node: PlainImageNode, file: TfliteFile): void {
  addPlain(file.builder, node, {
    inputs: node.inputs.map((id) => file.float(id)),
    output: file.own(node),
    inputShapes: node.inputs.map((id) => file.node(id).outputShape),
    grid: undefined,
  });
}

/** A node with one input whose elements are among those of it, or zeros: it moves codes where there are any. */
function onCodes(node: PlainImageNode, file: TfliteFile): void {
  const codes = file.codesBefore(node);
  if (codes === undefined) {
    onFloats(node, file);
    return;
  }
  moveCodes(node, file, [codes]);
}

/** Values side by side: codes where all have one grid, which then stay what they are; else float32 values. */
function sideBySide(node: PlainImageNode, file: TfliteFile): void {
  const codes = node.inputs.flatMap((id) => file.codes.get(id) ?? []);
  const [one] = codes;
  const isOneGrid = codes.every(({ scale, zeroPoint }) => scale === one?.scale && zeroPoint === one.zeroPoint);
  if (one === undefined || codes.length < node.inputs.length || !isOneGrid) {
    onFloats(node, file);
    return;
  }
  moveCodes(node, file, codes);
}

/** @param sources What it reads, all on one grid. */
function moveCodes(node: PlainImageNode, file: TfliteFile, sources: readonly TfliteCodes[]): void {
  const { builder } = file;
  const { scale, zeroPoint } = first(sources);
  const grid = { scale, zeroPoint };
  const name = builder.value(`${node.id}.codes`, { shape: node.outputShape, type: TensorType.INT8, grid });
  addPlain(builder, node, {
    inputs: sources.map(({ name }) => name),
    output: name,
    inputShapes: node.inputs.map((id) => file.node(id).outputShape),
    grid,
  });
  const lowest = Math.min(...sources.map(({ limits: [lowest] }) => lowest));
  const highest = Math.max(...sources.map(({ limits: [, highest] }) => highest));
  file.codes.set(node.id, { name, ...grid, limits: [lowest, highest] });
}

/** A sum: of codes, where its quantizer's steps are not much shorter than theirs; else of float32 values. */
function addSum(node: FrozenAdd, file: TfliteFile): void {
  const addends = node.inputs.flatMap((id) => file.codes.get(id) ?? []);
  const behind = file.codesBehind(node);
  const isRepeated = node.inputs.some((id) => file.node(id).outputShape.length < node.outputShape.length);
  if (behind === null || addends.length < 2 || isRepeated) {
    onFloats(node, file);
    return;
  }
  const longest = LONGEST_ADDEND * scaleOf(behind.quantizer);
  if (addends.some(({ scale }) => scale > longest)) {
    onFloats(node, file);
    return;
  }
  const [left, right] = tuple(addends, 2);
  for (const { id } of behind.nodes) file.merged.add(id);
  file.addCodes(behind.quantizer, behind.limits, {
    relu: true,
    write: (output, relu) => file.builder.operator("Add", [left.name, right.name], output, optionsOf.add({ relu })),
  });
}
