import type { ExportInput, Saturation } from "../../config/sections/export-settings.ts";
import { at } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import { elementTypes } from "../../onnx/element-types.ts";
import { bitsOf } from "../bits-file.ts";
import { type FrozenInput, type FrozenNetwork, type FrozenNode, isFrozenLayer } from "../frozen-network.ts";
import { outputCount, outputNode } from "../network-output.ts";
import { isImage } from "./axis-layout.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { imageOf } from "./value-layout.ts";

/** Names of the graph's input and output in every form. */
export const inputName = "input";
export const outputName = "logits";

/** What an ONNX file takes: pixels as they are, normalised inside the file, or normalised float32 images. */
export type InputKind = Exclude<ExportInput, "int8">;

export interface LowerOptions {
  readonly input: InputKind;
  /** Of weights of 8 bits in integer kernels; "avoid" if left out. */
  readonly saturation?: Saturation | undefined;
  /** Goes into the file's metadata_props, beside the network's name, class names, bits and normalisation. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A value of the file that stands for the value of a node. */
export interface FileValue {
  readonly name: string;
  /** What its integers, less `zeroPoint`, are to be multiplied by; null: it is float32. */
  readonly scale: number | null;
  readonly zeroPoint: number;
}

/** A network as a file. */
export interface Lowered {
  readonly bytes: Uint8Array;
  /** The network that the file computes. */
  readonly network: FrozenNetwork;
  /** Values of quantizers, of what several nodes read, and of the logits, by node. */
  readonly values: ReadonlyMap<string, FileValue>;
  /** What the user should know of this file: what was widened, what moved. */
  readonly notes: readonly string[];
}

/** The name that the float value of a node has in the file. */
export function valueName(network: FrozenNetwork, node: Pick<FrozenNode, "id" | "kind">): string {
  if (node.id === network.output) return outputName;
  return node.kind === "input" ? `${inputName}.normalized` : innerName(node.id);
}

/** The name of a value that the file neither takes nor gives. */
export const innerName = (id: string): string => (id === inputName || id === outputName ? `${id}.value` : id);

/** The first node of a network. */
export function inputNode(network: FrozenNetwork): FrozenInput {
  const [first] = network.nodes;
  if (first?.kind === "input") return first;
  throw new Error(`${network.name}: expected an input as first node, got ${first?.kind ?? "nothing"}`);
}

/** The first node of a network, with its image. */
export function imageInput(network: FrozenNetwork) {
  const [first] = network.nodes;
  const image = imageOf(first?.outputShape ?? []);
  if (first?.kind !== "input" || image === null) {
    throw new Error(`${network.name}: expected an image as first node, got ${first?.kind ?? "nothing"}`);
  }
  return { first, image };
}

/** Adds (pixel/255 - mean)/deviation behind a uint8 input; gives the name of the normalised value. */
export function normalizedInput(graph: GraphBuilder, network: FrozenNetwork, input: InputKind): string {
  if (input === "float" || network.normalization === null) return inputName;
  const { first } = imageInput(network);
  const { mean, deviation } = network.normalization;
  const shape = [mean.length, 1, 1];
  const float = graph.node("Cast", [inputName], { name: "input.float", attributes: { to: elementTypes.float } });
  const scale = graph.floats(
    "input.scale",
    deviation.map((value) => 1 / (255 * value)),
    shape,
  );
  const scaled = graph.node("Mul", [float, scale], { name: "input.scaled" });
  const shift = graph.floats(
    "input.shift",
    mean.map((value, channel) => value / deviation[channel]!),
    shape,
  );
  return graph.node("Sub", [scaled, shift], { name: valueName(network, first) });
}

/** The file's bytes: [batch, channels, height, width], or [batch, tokens], in, [batch, outputs] or again [batch, channels, height, width] out, any number of them. */
export function encodeModel(
  graph: GraphBuilder,
  network: FrozenNetwork,
  { input, metadata, doc }: LowerOptions & { readonly doc: string },
): Uint8Array {
  const taken = takenBy(network, input);
  const given = givenBy(network);
  return graph.encode({
    name: network.name,
    doc: `${doc} Input: ${taken.text}; output: ${given.text}.`,
    inputs: [{ name: inputName, shape: taken.shape, type: taken.type }],
    outputs: [{ name: outputName, shape: ["batch", ...given.shape] }],
    metadata: fileMetadata(network, { input, metadata }),
  });
}

/** What a file gives: a vector, an image of as many channels as there are classes of pixels, or values of any shape. */
function givenBy(network: FrozenNetwork): { readonly text: string; readonly shape: readonly number[] } {
  const what = network.classes.length > 0 ? "logits" : "values";
  const { id, outputShape } = outputNode(network);
  if (isImage(network, id)) {
    const [height, width, channels] = tuple(outputShape, 3);
    return { text: `${what} of pixels, [batch, channels, height, width]`, shape: [channels, height, width] };
  }
  if (outputShape.length > 1) return { text: `${what}, [batch, ${outputShape.join(", ")}]`, shape: outputShape };
  const axis = network.classes.length > 0 ? "classes" : "outputs";
  return { text: `${what}, [batch, ${axis}]`, shape: [outputCount(network)] };
}

/** What a file takes: images, the numbers of tokens, which a text of any length has, or values. */
function takenBy(network: FrozenNetwork, input: InputKind) {
  const { outputShape, dtype } = inputNode(network);
  if (network.normalization === null && dtype === "float32") {
    return {
      text: `float32 values, [batch, ${outputShape.join(", ")}]`,
      shape: ["batch", ...outputShape],
      type: elementTypes.float,
    };
  }
  if (network.normalization === null) {
    return {
      text: "int32 numbers of tokens, [batch, tokens], 0 is padding",
      shape: ["batch", "tokens"],
      type: elementTypes.int32,
    };
  }
  const [height, width, channels] = imageInput(network).image;
  const [images, type] =
    input === "uint8"
      ? (["uint8 images", elementTypes.uint8] as const)
      : (["normalised float32 images", elementTypes.float] as const);
  return { text: `${images}, [batch, channels, height, width]`, shape: ["batch", channels, height, width], type };
}

/** What a file says of its network: name, names of classes, learned bits, input. */
export const fileMetadata = (
  network: FrozenNetwork,
  { input, metadata }: Pick<LowerOptions, "metadata"> & { readonly input: ExportInput },
): Readonly<Record<string, string>> => ({
  name: network.name,
  ...(network.classes.length > 0 && { classes: JSON.stringify(network.classes) }),
  bits: bitsOf(network),
  ...(network.normalization !== null && { input, normalization: JSON.stringify(network.normalization) }),
  ...metadata,
});

/**
 * The grid on which pixels are codes themselves: value = scale · (pixel - zeroPoint). Null: channels are normalised apart,
 * or black is no whole code.
 */
export function pixelGrid({
  normalization,
}: Pick<FrozenNetwork, "normalization">): { readonly scale: number; readonly zeroPoint: number } | null {
  if (normalization === null) return null;
  const { mean, deviation } = normalization;
  const zeroPoint = 255 * at(mean, 0);
  const uniform = mean.every((value) => value === mean[0]) && deviation.every((value) => value === deviation[0]);
  if (!uniform || !Number.isInteger(zeroPoint) || zeroPoint > 255) return null;
  return { scale: Math.fround(1 / (255 * at(deviation, 0))), zeroPoint };
}

/** The network that a file computes: with the biases that the file has, where they moved. */
export const withBiases = (network: FrozenNetwork, biases: ReadonlyMap<string, Float32Array>): FrozenNetwork => ({
  ...network,
  nodes: network.nodes.map((node) => {
    const bias = biases.get(node.id);
    return bias !== undefined && isFrozenLayer(node) ? { ...node, bias } : node;
  }),
});
