import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { at, first, last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { tuple } from "../../core/tuple.ts";
import type { FrozenNetwork, FrozenNode } from "../frozen-network.ts";
import { isImage } from "./axis-layout.ts";

type Image = readonly [height: number, width: number, channels: number];

/** The shape as an image, or null for a vector. */
export const imageOf = (shape: readonly number[]): Image | null => (shape.length === 3 ? tuple(shape, 3) : null);

/** For each position of the channels-first order of one image, the index in the channels-last order. */
export function channelsLastIndices([height, width, channels]: Image): Uint32Array {
  const indices = new Uint32Array(height * width * channels);
  let position = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let pixel = 0; pixel < height * width; pixel++) indices[position++] = pixel * channels + channel;
  }
  return indices;
}

/** For each position of a value's elements in ONNX's order, its index in the frozen network's; null: the same. */
type Order = Uint32Array | null;

interface Read {
  /** What the node reads, in order. */
  readonly inputs: readonly FrozenNode[];
  orderOf(input: FrozenNode): Order;
  /** Whether a value of three axes has its channels first. */
  isImage(input: FrozenNode): boolean;
}

/** A node that gives no vector, or one of channels. */
const own = (): Order => null;
const ofItsInput = (_: FrozenNode, { inputs, orderOf }: Read): Order => orderOf(first(inputs));

/**
 * The order of the elements of a vector that each kind gives. ONNX flattens [channels, height, width] with channels
 * slowest, the frozen network [height, width, channels] with channels fastest: whoever reads such a vector permutes.
 */
const vectorOrders: ByKind<FrozenNode, [Read], Order> = {
  input: own,
  conv2d: own,
  "depthwise-conv2d": own,
  "conv-transpose": own,
  dense: own,
  embedding: own,
  "coded-embedding": own,
  affine: ofItsInput,
  "max-pool": own,
  "average-pool": own,
  "global-average-pool": own,
  "masked-mean": own,
  resize: own,
  relu: ofItsInput,
  nonlinear: ofItsInput,
  add: ofItsInput,
  multiply: ofItsInput,
  concat: sideBySide,
  pad: own,
  select: own,
  flatten: (_, { inputs: [x], isImage }) => (isImage(x!) ? imageOrder(x!) : null),
  reshape: own,
  transpose: own,
  slice: own,
  softmax: own,
  "masked-softmax": own,
  "token-mask": own,
  "layer-norm": own,
  matmul: own,
  quantizer: ofItsInput,
};

/** The order of each part, behind those before it. */
function sideBySide({ outputShape }: FrozenNode, { inputs, orderOf }: Read): Order {
  const orders = inputs.map(orderOf);
  if (orders.every((order) => order === null)) return null;
  const all = new Uint32Array(last(outputShape));
  let before = 0;
  for (const [part, { outputShape: shape }] of inputs.entries()) {
    const size = last(shape);
    for (let index = 0; index < size; index++) all[before + index] = before + (orders[part]?.[index] ?? index);
    before += size;
  }
  return all;
}

const imageOrder = ({ outputShape }: FrozenNode): Order => {
  const image = imageOf(outputShape);
  return image === null || image[2] === 1 ? null : channelsLastIndices(image);
};

/** The order of the elements of the vector that a node gives. */
export function vectorOrder(network: FrozenNetwork, id: string): Order {
  const nodes = new Map(network.nodes.map((node) => [node.id, node]));
  const orderOf = (node: FrozenNode): Order =>
    applyByKind(vectorOrders, node, {
      inputs: node.inputs.map((input) => lookup(nodes, input)),
      orderOf,
      isImage: ({ id }) => isImage(network, id),
    });
  return orderOf(lookup(nodes, id));
}

const orderOf = (network: FrozenNetwork, node: FrozenNode): Order =>
  node.outputShape.length === 1 ? vectorOrder(network, node.id) : isImage(network, node.id) ? imageOrder(node) : null;

/** Values of `node` for a batch, from the frozen network's order to ONNX's. */
export function toChannelsFirst<T extends Float32Array | Uint8Array>(
  network: FrozenNetwork,
  node: FrozenNode,
  values: T,
): T {
  const indices = orderOf(network, node);
  if (indices === null) return values;
  // A copy is of the same kind.
  const moved = values.slice() as T;
  for (let start = 0; start < values.length; start += indices.length) {
    for (let index = 0; index < indices.length; index++) moved[start + index] = values[start + indices[index]!]!;
  }
  return moved;
}

/** Values of `node` for a batch, from ONNX's order to the frozen network's. */
export function toChannelsLast(network: FrozenNetwork, node: FrozenNode, values: Float32Array): Float32Array {
  const indices = orderOf(network, node);
  if (indices === null) return values;
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

/** Elements of [in, out] in the order [out, in], with the inputs in the order of the vector that it reads. */
export function denseOrder([inputs, outputs]: readonly [number, number], order: Order): Uint32Array {
  const rows = order ?? Uint32Array.from({ length: inputs }, (_, row) => row);
  const elements = new Uint32Array(inputs * outputs);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) elements[output * inputs + input] = rows[input]! * outputs + output;
  }
  return elements;
}

/** The shape in which one number per channel broadcasts over [batch, channels, height, width] or [batch, .., units]. */
export const channelShape = (network: FrozenNetwork, { id, outputShape }: FrozenNode): readonly number[] =>
  isImage(network, id) ? [last(outputShape), 1, 1] : [last(outputShape)];

/** Numbers of a shape that is repeated to that of an image, with its channels first. */
export function alongImage(values: Float32Array, shape: readonly number[]) {
  const [height, width, channels] = tuple([...new Array<number>(3 - shape.length).fill(1), ...shape], 3);
  const order = channelsLastIndices([height, width, channels]);
  return { values: Float32Array.from(order, (index) => at(values, index)), shape: [channels, height, width] };
}

/** One number per channel, or per unit of a vector, in ONNX's order. */
export function channelsFirst(network: FrozenNetwork, node: FrozenNode, values: Float32Array): Float32Array {
  const order = node.outputShape.length === 1 ? vectorOrder(network, node.id) : null;
  return order === null ? values : Float32Array.from(order, (index) => values[index]!);
}
