import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { at, first } from "../../core/elements.ts";
import { isOnes } from "../../core/pair.ts";
import { isPadded } from "../../engine/op-options.ts";
import type { FrozenConvolution, FrozenConvTranspose, FrozenLayer, IntegerTensor } from "../frozen-network.ts";
import { widthList } from "../width-list.ts";
import { type CodesBehind, scaleOf } from "./codes-behind.ts";
import { type IntegerFit, integerFit } from "./integer-fit.ts";
import type { TfliteCodes, TfliteFile } from "./tflite-file.ts";
import { zerosAround } from "./tflite-operators.ts";
import { type OperatorName, type OperatorOptions, optionsOf } from "./tflite-options.ts";
import { paddingAround, spreadPixels } from "./tflite-transposed.ts";
import { addFloatTensors, addIntegerTensors, storedType } from "./tflite-weight.ts";
import { paddingKind } from "./tflite-windows.ts";

/** Adds a layer: in integers where it reads codes, gives codes and has a weight of 8 bits or less; else in float32. */
export function addLayer(layer: FrozenLayer, file: TfliteFile): void {
  const { weight } = layer;
  const codes = file.codesBefore(layer);
  if (codes === undefined) {
    addFloatLayer(layer, file, "it reads float32 values");
    return;
  }
  if (weight.bits === 32 || weight.bits === 16) {
    addFloatLayer(layer, file, `its weight has ${weight.bits} bits`);
    return;
  }
  const behind = file.codesBehind(layer);
  if (behind === null) {
    addFloatLayer(layer, file, "its sums are read as they are");
    return;
  }
  const packable = weight.bits <= 4 && computesAsDense(layer, file);
  const fit = integerFit({ layer, weight, codes, step: scaleOf(behind.quantizer), packable });
  if (fit === null) {
    addFloatLayer(layer, file, "its bias does not fit the grid of its sums");
    return;
  }
  addIntegerLayer(layer, file, { weight, behind, fit });
}

/**
 * Whether FULLY_CONNECTED computes a layer with 4 bits a weight, as XNNPACK does for an even number of inputs. It has no
 * convolutions of 4 bits: LiteRT would unpack their weights at every run, and round twice.
 */
function computesAsDense(layer: FrozenLayer, file: TfliteFile): boolean {
  const { kind, weight } = layer;
  const inputs = at(weight.shape, -2);
  if (inputs % 2 !== 0) return false;
  if (kind !== "conv2d") return kind === "dense";
  if (layer.groups > 1) return false;
  const [height, width] = weight.shape;
  const image = file.node(first(layer.inputs)).outputShape;
  const size = [at(weight.shape, 0), at(weight.shape, 1)] as const;
  return height === 1 && width === 1 && isOnes(layer.strides) && paddingKind({ ...layer, size }, image) === "none";
}

interface IntegerParts {
  readonly weight: IntegerTensor;
  readonly behind: CodesBehind;
  readonly fit: IntegerFit;
}

function addIntegerLayer(layer: FrozenLayer, file: TfliteFile, { weight, behind, fit }: IntegerParts): void {
  const { integer, type } = fit;
  const codes = file.multiplied(file.node(first(layer.inputs)), fit.multiple);
  const tensors = addIntegerTensors(layer, file.builder, { weight, integer, type, inputScale: codes.scale });
  file.biases.set(layer.id, integer.biasValues);
  if (weight.channelBits !== null) {
    const widths = widthList(weight.channelBits);
    file.notes.push(`${layer.id}.weight has rows of ${widths} bits: all are stored in ${type.toLowerCase()}`);
  }
  for (const { id } of behind.nodes) file.merged.add(id);
  file.addCodes(behind.quantizer, behind.limits, {
    relu: true,
    write(output, relu) {
      const wiring = { input: codes.name, codes, ...tensors, output, relu };
      if (type === "INT4") addDense(file, wiring);
      else addOperator(layer, file, wiring);
    },
  });
}

/** Adds a layer that computes in float32. */
function addFloatLayer(layer: FrozenLayer, file: TfliteFile, why: string): void {
  const { id, weight } = layer;
  file.notes.push(`${id} computes in float32: ${why}; its weight is stored in ${storedType(weight)}`);
  addOperator(layer, file, {
    input: file.float(first(layer.inputs)),
    codes: undefined,
    ...addFloatTensors(layer, file.builder),
    output: file.own(layer),
    relu: false,
  });
}

interface Wiring {
  readonly input: string;
  /** What the input is on; undefined: float32. */
  readonly codes: TfliteCodes | undefined;
  readonly weight: string;
  readonly bias: string;
  readonly output: string;
  readonly relu: boolean;
}

const operators: ByKind<FrozenLayer, [TfliteFile, Wiring], void> = {
  conv2d: (layer, file, wiring) => addConvolution(layer, file, wiring, { kind: "Conv2D", options: optionsOf.conv2d }),
  "depthwise-conv2d": (layer, file, wiring) =>
    addConvolution(layer, file, wiring, { kind: "DepthwiseConv2D", options: optionsOf.depthwise }),
  "conv-transpose": addTransposed,
  dense: (_, file, wiring) => addDense(file, wiring),
};

/** Of an image, each pixel is a row. */
function addDense({ builder }: TfliteFile, { input, weight, bias, output, relu }: Wiring): void {
  builder.operator("FullyConnected", [input, weight, bias], output, optionsOf.fullyConnected({ relu }));
}

const addOperator = (layer: FrozenLayer, file: TfliteFile, wiring: Wiring): void =>
  applyByKind(operators, layer, file, wiring);

/** A convolution over the image with zeros between its pixels. */
function addTransposed(
  layer: FrozenConvTranspose,
  file: TfliteFile,
  { input, codes: grid, weight, bias, output, relu }: Wiring,
): void {
  const { builder } = file;
  const { id, inputs } = layer;
  const image = { name: input, shape: file.node(first(inputs)).outputShape, grid };
  const { name, shape: inputShape } = spreadPixels(builder, layer, image);
  const padding = paddingAround(layer);
  const images = isPadded({ padding }) ? zerosAround(builder, { id, input: name, inputShape, padding, grid }) : name;
  const options = optionsOf.conv2d({ strides: [1, 1], dilations: [1, 1], same: false, relu });
  builder.operator("Conv2D", [images, weight, bias], output, options);
}

interface Convolution {
  readonly kind: OperatorName;
  options(
    windows: Pick<FrozenConvolution, "strides" | "dilations"> & { same: boolean; relu: boolean },
  ): OperatorOptions;
}

function addConvolution(
  { id, inputs, weight: kernel, strides, dilations, padding }: FrozenConvolution,
  file: TfliteFile,
  { input, codes, weight, bias, output, relu }: Wiring,
  { kind, options }: Convolution,
): void {
  const { builder } = file;
  const inputShape = file.node(first(inputs)).outputShape;
  const size = [at(kernel.shape, 0), at(kernel.shape, 1)] as const;
  const padded = paddingKind({ size, strides, dilations, padding }, inputShape);
  const images = padded === "operator" ? zerosAround(builder, { id, input, inputShape, padding, grid: codes }) : input;
  builder.operator(
    kind,
    [images, weight, bias],
    output,
    options({ strides, dilations, same: padded === "same", relu }),
  );
}
