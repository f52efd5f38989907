import { applyByKind, type ByKind } from "../../core/by-kind.ts";
import { lookup } from "../../core/lookup.ts";
import type { FrozenNetwork, FrozenNode } from "../frozen-network.ts";

/**
 * How values of three axes behind the batch lie in an ONNX file: an image has its channels first there, as ONNX's
 * convolutions want it; any other tensor lies as the frozen network has it. `own`: as what it is made of.
 */
type Layout = "image" | "plain" | "own";

/** How each kind of node reads such values, and how it gives one. */
const layouts: ByKind<FrozenNode, [FrozenNetwork], readonly [reads: Layout, gives: Layout]> = {
  input: (_, { normalization }) => (normalization === null ? ["plain", "plain"] : ["image", "image"]),
  conv2d: () => ["image", "image"],
  "depthwise-conv2d": () => ["image", "image"],
  "conv-transpose": () => ["image", "image"],
  dense: () => ["plain", "plain"],
  embedding: () => ["plain", "plain"],
  "coded-embedding": () => ["plain", "plain"],
  affine: () => ["own", "own"],
  "max-pool": () => ["image", "image"],
  "average-pool": () => ["image", "image"],
  "global-average-pool": () => ["image", "plain"],
  "masked-mean": () => ["plain", "plain"],
  resize: () => ["image", "image"],
  relu: () => ["own", "own"],
  nonlinear: () => ["own", "own"],
  add: () => ["own", "own"],
  multiply: () => ["own", "own"],
  concat: () => ["own", "own"],
  pad: () => ["image", "image"],
  select: () => ["own", "own"],
  // Its rows are in the order in which an image lies.
  flatten: () => ["own", "plain"],
  reshape: () => ["plain", "plain"],
  transpose: () => ["plain", "plain"],
  slice: () => ["plain", "plain"],
  softmax: () => ["plain", "plain"],
  "masked-softmax": () => ["plain", "plain"],
  "token-mask": () => ["plain", "plain"],
  "layer-norm": () => ["plain", "plain"],
  matmul: () => ["plain", "plain"],
  quantizer: () => ["own", "own"],
};

const known = new WeakMap<FrozenNetwork, ReadonlyMap<string, boolean>>();

/** The nodes of a network whose values are images in a file. */
function imagesOf(network: FrozenNetwork): ReadonlyMap<string, boolean> {
  const found = known.get(network);
  if (found !== undefined) return found;
  const images = new Map<string, boolean>();
  const ranks = new Map(network.nodes.map(({ id, outputShape }) => [id, outputShape.length]));
  for (const node of network.nodes) {
    const [, gives] = applyByKind(layouts, node, network);
    // What meets an image is one, or a number for each of its channels.
    const isOwnImage = () =>
      node.inputs.some((id) => images.get(id)) && node.inputs.every((id) => images.get(id) || lookup(ranks, id) < 2);
    images.set(node.id, node.outputShape.length === 3 && (gives === "image" || (gives === "own" && isOwnImage())));
  }
  known.set(network, images);
  return images;
}

/** Whether a node's value has its channels first in a file. */
export const isImage = (network: FrozenNetwork, id: string): boolean => imagesOf(network).get(id) === true;

/** Whether a node reads such a value with its channels first. */
export function readsImage(network: FrozenNetwork, node: FrozenNode, source: string): boolean {
  const [reads] = applyByKind(layouts, node, network);
  if (reads !== "own") return reads === "image";
  return isImage(network, source) && (isImage(network, node.id) || node.kind === "flatten");
}

/** Whether a node reads the places of a flattened image in whatever order they lie. */
export const readsAnyOrder = (network: FrozenNetwork, node: FrozenNode): boolean =>
  node.kind === "dense" || applyByKind(layouts, node, network)[0] === "own";
