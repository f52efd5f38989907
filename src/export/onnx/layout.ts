import type { FrozenKind, FrozenNetwork, FrozenNode } from "../frozen-network.ts";

type Image = readonly [height: number, width: number, channels: number];

/** The shape as an image, or null for a vector. */
export const imageOf = (shape: readonly number[]): Image | null =>
  shape.length === 3 ? (shape as unknown as Image) : null;

/** For each position of the channels-first order of one image, the index in the channels-last order. */
export function channelsLastIndices([height, width, channels]: Image): Uint32Array {
  const indices = new Uint32Array(height * width * channels);
  let position = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let pixel = 0; pixel < height * width; pixel++) indices[position++] = pixel * channels + channel;
  }
  return indices;
}

/**
 * The order of the elements of a vector that a kind gives: that of what it reads, that of the image that it flattens, or
 * one of its own. Kinds that give no vector have the order of channels.
 */
const vectorOrders: { readonly [K in FrozenKind]: "of its input" | "flattened" | "own" } = {
  input: "own",
  conv2d: "own",
  "depthwise-conv2d": "own",
  dense: "own",
  affine: "of its input",
  "max-pool": "own",
  "average-pool": "own",
  "global-average-pool": "own",
  relu: "of its input",
  add: "of its input",
  pad: "own",
  select: "own",
  flatten: "flattened",
  quantizer: "of its input",
};

/**
 * The image that a vector is a flattened form of, if it is one. ONNX flattens [channels, height, width] with channels
 * slowest, the frozen network [height, width, channels] with channels fastest: whoever reads such a vector permutes.
 */
export function flattenedImage(network: FrozenNetwork, id: string): Image | null {
  const nodes = new Map(network.nodes.map((node) => [node.id, node]));
  for (let node = nodes.get(id); node !== undefined; node = nodes.get(node.inputs[0] ?? "")) {
    const order = vectorOrders[node.kind];
    if (order === "flattened") return imageOf(nodes.get(node.inputs[0]!)!.outputShape);
    if (order === "own") return null;
  }
  return null;
}

/** The image whose channels-last order the values of `node` have in the frozen network and not in ONNX. */
const imageBehind = (network: FrozenNetwork, node: FrozenNode): Image | null =>
  imageOf(node.outputShape) ?? flattenedImage(network, node.id);

/** Values of `node` for a batch, from the frozen network's order to ONNX's. */
export function toChannelsFirst<T extends Float32Array | Uint8Array>(
  network: FrozenNetwork,
  node: FrozenNode,
  values: T,
): T {
  const image = imageBehind(network, node);
  if (image === null || image[2] === 1) return values;
  const indices = channelsLastIndices(image);
  const moved = values.slice() as T;
  for (let start = 0; start < values.length; start += indices.length) {
    for (let index = 0; index < indices.length; index++) moved[start + index] = values[start + indices[index]!]!;
  }
  return moved;
}

/** Values of `node` for a batch, from ONNX's order to the frozen network's. */
export function toChannelsLast(network: FrozenNetwork, node: FrozenNode, values: Float32Array): Float32Array {
  const image = imageBehind(network, node);
  if (image === null || image[2] === 1) return values;
  const indices = channelsLastIndices(image);
  const moved = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += indices.length) {
    for (let index = 0; index < indices.length; index++) moved[start + indices[index]!] = values[start + index]!;
  }
  return moved;
}

/** Elements of [kernel height, kernel width, in, out] in the order of ONNX's [out, in, kernel height, kernel width]. */
export function convolutionOrder([height, width, inputs, outputs]: readonly [number, number, number, number]) {
  const order = new Uint32Array(height * width * inputs * outputs);
  let position = 0;
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      for (let tap = 0; tap < height * width; tap++) order[position++] = (tap * inputs + input) * outputs + output;
    }
  }
  return order;
}

/** Elements of [in, out] in the order [out, in], with the inputs in the order in which ONNX flattens `image`. */
export function denseOrder([inputs, outputs]: readonly [number, number], image: Image | null): Uint32Array {
  const rows = image === null ? Uint32Array.from({ length: inputs }, (_, row) => row) : channelsLastIndices(image);
  const order = new Uint32Array(inputs * outputs);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) order[output * inputs + input] = rows[input]! * outputs + output;
  }
  return order;
}

/** The shape in which one number per channel broadcasts over [batch, channels, height, width] or [batch, units]. */
export const channelShape = ({ outputShape }: Pick<FrozenNode, "outputShape">): readonly number[] =>
  outputShape.length === 3 ? [outputShape[2]!, 1, 1] : outputShape;

/** One number per channel, or per unit of a vector, in ONNX's order. */
export function channelsFirst(network: FrozenNetwork, node: FrozenNode, values: Float32Array): Float32Array {
  const image = node.outputShape.length === 1 ? flattenedImage(network, node.id) : null;
  return image === null ? values : Float32Array.from(channelsLastIndices(image), (index) => values[index]!);
}
