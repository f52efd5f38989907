import type { Graph, NodeId } from "../graph/graph.ts";
import type { GridFlow, NodeKind, PerInput } from "../graph/node-kind.ts";
import { inputsOf } from "../graph/walk.ts";
import { type AddNode, add } from "./add.ts";
import { type AffineNode, affine } from "./affine.ts";
import { type AveragePoolNode, averagePool } from "./average-pool.ts";
import { type BatchNormNode, batchNorm } from "./batch-norm.ts";
import { type BiasNode, bias } from "./bias.ts";
import { type CodedEmbeddingNode, codedEmbedding } from "./coded-embedding.ts";
import { type ConcatNode, concat } from "./concat.ts";
import { type ConvTransposeNode, convTranspose } from "./conv-transpose.ts";
import { type Conv2dNode, conv2d } from "./conv2d.ts";
import { type DenseNode, dense } from "./dense.ts";
import { type DepthwiseConv2dNode, depthwiseConv2d } from "./depthwise-conv2d.ts";
import { type EmbeddingNode, embedding } from "./embedding.ts";
import { type FlattenNode, flatten } from "./flatten.ts";
import { type FoldNode, fold } from "./fold.ts";
import { type FoldedNormNode, foldedNorm } from "./folded-norm.ts";
import { type GlobalAveragePoolNode, globalAveragePool } from "./global-average-pool.ts";
import { type InputNode, input } from "./input.ts";
import { type LayerNormNode, layerNorm } from "./layer-norm.ts";
import { type MaskedMeanNode, maskedMean } from "./masked-mean.ts";
import { type MaskedSoftmaxNode, maskedSoftmax } from "./masked-softmax.ts";
import { type MatmulNode, matmul } from "./matmul.ts";
import { type MaxPoolNode, maxPool } from "./max-pool.ts";
import { type MultiplyNode, multiply } from "./multiply.ts";
import { type NonlinearNode, nonlinear } from "./nonlinear.ts";
import { type PadNode, pad } from "./pad.ts";
import { type ParameterNode, parameter } from "./parameter.ts";
import { type QuantizerNode, quantizer } from "./quantizer.ts";
import { type ReluNode, relu } from "./relu.ts";
import { type ReshapeNode, reshape } from "./reshape.ts";
import { type ResizeNode, resize } from "./resize.ts";
import { type SliceNode, slice } from "./slice.ts";
import { type SoftmaxNode, softmax } from "./softmax.ts";
import { type TokenMaskNode, tokenMask } from "./token-mask.ts";
import { type TransposeNode, transpose } from "./transpose.ts";

/** A layer with a weight: what is quantized, pruned and counted. */
export type LayerNode = Conv2dNode | DepthwiseConv2dNode | ConvTransposeNode | DenseNode | EmbeddingNode;

/** A layer that multiplies what it reads by its weight: what batch normalization is folded into. */
export type ProductLayerNode = Exclude<LayerNode, EmbeddingNode>;

/** What stands behind a layer and adds one number per channel: its bias or its batch normalization. */
export type ShiftNode = BiasNode | BatchNormNode | FoldedNormNode;

export type Node =
  | InputNode
  | ParameterNode
  | LayerNode
  | CodedEmbeddingNode
  | ShiftNode
  | FoldNode
  | AffineNode
  | ReluNode
  | NonlinearNode
  | MaxPoolNode
  | AveragePoolNode
  | GlobalAveragePoolNode
  | MaskedMeanNode
  | ResizeNode
  | AddNode
  | MultiplyNode
  | ConcatNode
  | PadNode
  | FlattenNode
  | ReshapeNode
  | TransposeNode
  | SliceNode
  | SoftmaxNode
  | MaskedSoftmaxNode
  | TokenMaskNode
  | LayerNormNode
  | MatmulNode
  | QuantizerNode;

/** A network as training, MACs, bit operations, pruning and export walk it. */
export type Network = Graph<Node>;

/** All that is known of each kind of node. */
const kinds: { readonly [K in Node["kind"]]: NodeKind<Extract<Node, { kind: K }>> } = {
  input,
  parameter,
  conv2d,
  "depthwise-conv2d": depthwiseConv2d,
  "conv-transpose": convTranspose,
  dense,
  embedding,
  "coded-embedding": codedEmbedding,
  bias,
  "batch-norm": batchNorm,
  fold,
  "folded-norm": foldedNorm,
  affine,
  relu,
  nonlinear,
  "max-pool": maxPool,
  "average-pool": averagePool,
  "global-average-pool": globalAveragePool,
  "masked-mean": maskedMean,
  resize,
  add,
  multiply,
  concat,
  pad,
  flatten,
  reshape,
  transpose,
  slice,
  softmax,
  "masked-softmax": maskedSoftmax,
  "token-mask": tokenMask,
  "layer-norm": layerNorm,
  matmul,
  quantizer,
};

/** A value for each input of a node, in order, as its kind takes them. */
export const perInput = <T>(node: Node, of: (id: NodeId) => T): PerInput<Node, T> =>
  // As many as the node has inputs: mapping keeps their number, its type does not say so.
  inputsOf(node).map(of) as unknown as PerInput<Node, T>;

/** All that is known of a node's kind. */
export const kindOf = (node: Node): NodeKind<Node> => kinds[node.kind];

const grids = new Map<string, GridFlow>(Object.entries(kinds).map(([kind, { grid }]) => [kind, grid]));

/** Where values on a grid stand behind a node, by the kind that a record names; an old record may name one that is gone. */
export const gridBehind = (kind: string): GridFlow => grids.get(kind) ?? "new";

export const isLayer = (node: Node): node is LayerNode => kindOf(node).macs !== null;

/** The kinds of {@link ShiftNode}. */
const shiftKinds: { readonly [K in ShiftNode["kind"]]: true } = { bias: true, "batch-norm": true, "folded-norm": true };

export const isProductLayer = (node: Node): node is ProductLayerNode => isLayer(node) && node.kind !== "embedding";

export const isShift = (node: Node): node is ShiftNode => node.kind in shiftKinds;

/** The inputs of a network, in order. */
export const inputNodes = ({ nodes }: Pick<Network, "nodes">): readonly InputNode[] =>
  nodes.filter((node) => node.kind === "input");

/**
 * The input of a network that has one.
 *
 * @throws Error when it has another number of them.
 */
export function onlyInput(network: Network): InputNode {
  const [first, ...others] = inputNodes(network);
  if (first === undefined || others.length > 0) {
    throw new Error(`${network.name}: expected one input, it has ${inputNodes(network).length}`);
  }
  return first;
}
