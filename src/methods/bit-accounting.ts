import { at, last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { mean } from "../core/mean.ts";
import { tuple } from "../core/tuple.ts";
import type { NodeId } from "../graph/graph.ts";
import { elementsOf } from "../graph/shape.ts";
import type { Network } from "../kinds/index.ts";
import { type ChannelStates, followChannels, keptChannels } from "../network/channels.ts";
import { type CodedEmbedding, codedEmbeddingsOf } from "../network/coded-embeddings.ts";
import { type Layer, layersOf } from "../network/layers.ts";
import { type Product, productsOf } from "../network/products.ts";
import {
  bitOperations,
  type LayerCost,
  relativeBitOperations,
  unquantizedBits,
} from "../quantization/bit-operations.ts";
import { channelBytes } from "../quantization/channel-bytes.ts";
import { codeBits, codeBytes, storedCodeBits } from "../quantization/code-bytes.ts";
import { type ChannelBits, type GridBits, storedBits, widest } from "../quantization/levels.ts";
import { type CodebookShape, type CodebookSize, codebookSize } from "../quantization/product/codebook-size.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";

type Quantizers = ReadonlyMap<NodeId, Quantizer>;

/** What one layer costs with the learned bits and channels. */
export interface LayerAccount {
  readonly layer: Layer;
  /** Of the grid: 3 counts as 3 bit operations and is stored in 4. Of the widest channel where they differ. */
  readonly weightBits: GridBits;
  /** By output channel before pruning, 0 where it is gone; null where all have one width. */
  readonly channelBits: readonly ChannelBits[] | null;
  readonly inputBits: GridBits;
  readonly outputs: number;
  readonly keptOutputs: number;
  readonly inputs: number;
  readonly keptInputs: number;
  readonly cost: LayerCost;
  readonly bops: number;
  /** Weights and biases that are left, batch normalizations folded in. */
  readonly parameters: number;
  /** Bytes of the packed weight and of its float32 bias, or of what is left of its normalization. */
  readonly bytes: number;
  /** Where the weight is codes into a codebook, what these take; null elsewhere. */
  readonly codebook: CodebookAccount | null;
}

/** What a product of two activations costs. */
export interface ProductAccount {
  readonly product: Product;
  readonly bits: readonly [left: GridBits, right: GridBits];
  readonly cost: LayerCost;
  readonly bops: number;
}

/** What an embedding by codes costs. */
export interface CodedAccount {
  readonly embedding: CodedEmbedding;
  /** Bytes of its codes as a file stores them, each token's in bytes of their own. */
  readonly codeBytes: number;
  /** Bytes of its codewords, float32. */
  readonly valueBytes: number;
  /** Bits of both at log2 of the codewords, rounded up: how the paper counts. */
  readonly countedBits: number;
  readonly fp32Bytes: number;
}
/** A weight that is codes into a codebook, which is all float32 when it computes. */
export interface CodebookAccount extends CodebookShape, CodebookSize {}

/** The network's account: where bit operations, MACs and sizes are computed, and nowhere else. */
export interface Account {
  readonly layers: readonly LayerAccount[];
  readonly products: readonly ProductAccount[];
  readonly coded: readonly CodedAccount[];
  /** Percent of the 32×32-bit, unpruned network. */
  readonly relativeBops: number;
  /** The same by the authors' formula, which counts input pruning on straight chains of layers only. */
  readonly relativeBopsAuthors: number;
  readonly packedBytes: number;
  /** The unpruned network in float32, in the same form: batch normalizations folded in. */
  readonly fp32Bytes: number;
  readonly channels: { readonly kept: number; readonly of: number };
  readonly parameters: { readonly kept: number; readonly of: number };
  /** Multiply-accumulates for one image. */
  readonly macs: { readonly kept: number; readonly of: number };
}

/** What pruning leaves of every node's channels, by the test-time gates. */
export function learnedChannels(network: Network, quantizers: Quantizers): ChannelStates {
  const open = new Map(layersOf(network).map((layer) => [layer.name, openChannels(layer, quantizers)]));
  for (const { multiplies, kept } of quantizers.values()) for (const id of multiplies) open.set(id, kept);
  return followChannels(network, (id) => open.get(id) ?? null);
}

/**
 * Counts bit operations, parameters and bytes for the test-time gates. A layer that no quantizer serves counts 32
 * bits. Channels count as kept where export keeps them.
 */
export function account(network: Network, quantizers: Quantizers): Account {
  const layers = layersOf(network);
  const states = learnedChannels(network, quantizers);
  const accounts = layers.map((layer) => accountLayer(layer, states, quantizers));
  const sum = (value: (account: LayerAccount) => number) =>
    accounts.reduce((total, account) => total + value(account), 0);
  const products = productsOf(network).map((product) => accountProduct(product, quantizers));
  const costs = [...accounts, ...products].map(({ cost }) => cost);
  const prunable = accounts.filter(
    ({ layer }) => layer.weightQuantizer && lookup(quantizers, layer.weightQuantizer).kept !== null,
  );
  const coded = codedEmbeddingsOf(network).map(accountCodes);
  const ofCodes = (value: (account: CodedAccount) => number) =>
    coded.reduce((total, account) => total + value(account), 0);
  const parameters = sum(({ layer }) => layer.parameters) + ofCodes(({ fp32Bytes }) => fp32Bytes) / 4;
  return {
    layers: accounts,
    products,
    coded,
    relativeBops: relativeBitOperations(costs),
    relativeBopsAuthors: relativeBitOperations([
      ...authorsCosts(accounts, quantizers),
      ...products.map(({ cost }) => cost),
    ]),
    packedBytes: sum(({ bytes }) => bytes) + ofCodes(({ codeBytes, valueBytes }) => codeBytes + valueBytes),
    fp32Bytes: 4 * parameters,
    channels: {
      kept: prunable.reduce((total, { keptOutputs }) => total + keptOutputs, 0),
      of: prunable.reduce((total, { outputs }) => total + outputs, 0),
    },
    parameters: {
      kept: sum(({ parameters }) => parameters) + ofCodes(({ valueBytes }) => valueBytes) / 4,
      of: parameters,
    },
    macs: {
      kept: Math.round(
        costs.reduce((total, { macs, keptOutputs, keptInputs }) => total + macs * keptOutputs * keptInputs, 0),
      ),
      of: costs.reduce((total, { macs }) => total + macs, 0),
    },
  };
}

/** Nothing of it is pruned: a product needs all channels of what it multiplies. */
function accountProduct(product: Product, quantizers: Quantizers): ProductAccount {
  const [left, right] = tuple(
    product.quantizers.map((id) => (id === null ? 32 : lookup(quantizers, id).bits)),
    2,
  );
  const cost = { macs: product.macs, weightBits: right, inputBits: left, keptOutputs: 1, keptInputs: 1 };
  return { product, bits: [left, right], cost, bops: bitOperations(cost) };
}

function accountCodes(embedding: CodedEmbedding): CodedAccount {
  const { node, vocabulary, units, tables } = embedding;
  const { groups, codewords } = node;
  const valueBytes = (4 * tables * codewords * units) / groups;
  return {
    embedding,
    codeBytes: codeBytes(vocabulary, groups, storedCodeBits(codewords)),
    valueBytes,
    countedBits: vocabulary * groups * codeBits(codewords) + 8 * valueBytes,
    fp32Bytes: 4 * vocabulary * units,
  };
}

function accountLayer(layer: Layer, states: ChannelStates, quantizers: Quantizers): LayerAccount {
  const weight = layer.weightQuantizer === null ? null : lookup(quantizers, layer.weightQuantizer);
  const outputs = last(layer.weightShape);
  const kept = keptChannels(lookup(states, layer.node.id));
  const keptOutputs = kept.length;
  const widths = weight?.bitsOf(kept) ?? 32;
  const input = lookup(states, layer.node.inputs[0]);
  const keptInputs = keptChannels(input).length;
  const depthwise = layer.kind === "depthwise-conv2d";
  const cost = {
    macs: layer.macs,
    weightBits: typeof widths === "object" ? mean(widths) : widths,
    inputBits: inputBits(layer, quantizers),
    keptOutputs: keptOutputs / outputs,
    // A channel of a depthwise convolution reads itself alone.
    keptInputs: depthwise ? 1 : keptInputs / input.length,
  };
  const weights = Math.round(elementsOf(layer.weightShape) * cost.keptOutputs * cost.keptInputs);
  const biases = layer.shift === null ? 0 : keptOutputs;
  // Behind a codebook a normalization stays, with a factor for each output channel, which files have beside the bias.
  const factors = layer.shift?.kind === "batch-norm" && weight !== null ? keptOutputs : 0;
  const codebook = weight === null ? null : codebookOf(weight);
  return {
    layer,
    weightBits: typeof widths === "object" ? widest(widths) : widths,
    channelBits: typeof widths === "object" ? byChannel(widths, kept, outputs) : null,
    inputBits: inputBits(layer, quantizers),
    outputs,
    keptOutputs,
    inputs: input.length,
    keptInputs,
    cost,
    bops: bitOperations(cost),
    parameters: weights + biases,
    bytes:
      (codebook ? codebook.indexBytes + codebook.codebookBytes : weightBytes(widths, weights)) + 4 * (biases + factors),
    codebook,
  };
}

function codebookOf({ codebook }: Quantizer): CodebookAccount | null {
  if (codebook === null) return null;
  const { blockSize, codes } = codebook;
  const shape = { blockSize, centroids: codebook.codebook.length / blockSize };
  return { ...shape, ...codebookSize(codes.length, shape) };
}

/** Packed; where widths differ with a step for each channel, and with their order. */
function weightBytes(widths: GridBits | readonly ChannelBits[], weights: number): number {
  if (typeof widths !== "object") return Math.ceil((weights * storedBits(widths)) / 8);
  const { codes, steps, order } = channelBytes(widths, weights / widths.length);
  return codes + steps + order;
}

function byChannel(widths: readonly ChannelBits[], kept: readonly number[], outputs: number): readonly ChannelBits[] {
  const all = new Array<ChannelBits>(outputs).fill(0);
  for (const [place, channel] of kept.entries()) all[channel] = at(widths, place);
  return all;
}

/** The authors' keep(out) and keep(in): a layer's own open gates, and those of the layer before it on a chain. */
function authorsCosts(accounts: readonly LayerAccount[], quantizers: Quantizers): LayerCost[] {
  const shares = new Map<string, number>();
  return accounts.map(({ layer, outputs, cost }) => {
    const open = openChannels(layer, quantizers);
    const keptOutputs = open === null ? 1 : open.length / outputs;
    shares.set(layer.name, keptOutputs);
    return { ...cost, keptOutputs, keptInputs: layer.previous === null ? 1 : lookup(shares, layer.previous) };
  });
}

/** Channels of a layer whose pruning gate is open; null where it has none. */
const openChannels = ({ weightQuantizer }: Layer, quantizers: Quantizers): readonly number[] | null =>
  weightQuantizer === null ? null : lookup(quantizers, weightQuantizer).kept;

/** Bits of the activation that a layer reads. */
const inputBits = (layer: Layer, quantizers: Quantizers): GridBits =>
  layer.inputQuantizer === null ? unquantizedBits(layer) : lookup(quantizers, layer.inputQuantizer).bits;
