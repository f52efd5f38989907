import { lookup } from "../core/lookup.ts";
import type { NodeId } from "../graph/graph.ts";
import { elementsOf } from "../graph/shape.ts";
import { type Network, onlyInput } from "../kinds/index.ts";
import { account, type CodedAccount } from "../methods/bit-accounting.ts";
import { codedEmbeddingsOf } from "../network/coded-embeddings.ts";
import { layersOf } from "../network/layers.ts";
import { outputShapes } from "../network/output-shapes.ts";
import { productsOf } from "../network/products.ts";
import { meanBits } from "../quantization/levels.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";
import { keptWhole } from "../quantizers/gated-nodes.ts";
import type { LearnedQuantizer, RunRecord, RunResult } from "../runs/record.ts";
import { describeGraph } from "./describe-graph.ts";

/** What a quantizer has learned so far, as the record has it. */
export const learnedOf = (quantizer: Quantizer): LearnedQuantizer => ({
  bits: quantizer.bits,
  ...meanBitsOf(quantizer),
  ...(quantizer.codebook && { centroids: quantizer.codebook.codebook.length / quantizer.codebook.blockSize }),
  probabilities: [...quantizer.probabilities],
  xMax: quantizer.xMax,
  kept: quantizer.kept?.length ?? null,
  keepProbability: quantizer.keepProbability,
});

/** Of the kept channels, where they have gates of their own. */
function meanBitsOf({ channelBits }: Quantizer): { readonly meanBits?: number } {
  const mean = channelBits && meanBits(channelBits);
  return mean === null ? {} : { meanBits: mean };
}

/** The network's static description for the record. */
export function describeNetwork(network: Network): Omit<RunRecord["network"], "file"> {
  const layers = layersOf(network);
  const products = productsOf(network);
  const coded = codedEmbeddingsOf(network).reduce((sum, { vocabulary, units }) => sum + vocabulary * units, 0);
  return {
    name: network.name,
    inputShape: [...onlyInput(network).shape],
    parameters: layers.reduce((sum, { parameters }) => sum + parameters, coded),
    macs: [...layers, ...products].reduce((sum, { macs }) => sum + macs, 0),
    layers: layers.map(
      ({ name, kind, weightShape, outputShape, macs, parameters, weightQuantizer, inputQuantizer }) => ({
        name,
        kind,
        weightShape: [...weightShape],
        outputShape: [...outputShape],
        macs,
        parameters,
        weightQuantizer,
        inputQuantizer,
      }),
    ),
    ...(products.length > 0 && {
      products: products.map(({ name, macs, outputShape, quantizers: [left, right] }) => ({
        ...{ name, macs, outputShape: [...outputShape] },
        quantizers: [left, right],
      })),
    }),
    graph: describeGraph(network),
  };
}

/** The quantizers' static description for the record. */
export function describeQuantizers(
  network: Network,
  quantizers: ReadonlyMap<NodeId, Quantizer>,
): RunRecord["quantizers"] {
  const shapes = outputShapes(network);
  const prunes = Array.from(quantizers.values()).some(({ prune }) => prune !== null);
  const whole = prunes ? keptWhole(network) : new Map<NodeId, string>();
  return Array.from(quantizers.values(), ({ node, prune }) => ({
    id: node.id,
    role: node.role,
    layer: node.id.replace(/(\.weight)?\.quantizer$/, ""),
    signed: node.signed,
    channels: prune?.length ?? null,
    ...keptText(whole.get(node.id)),
    elements: elementsOf(lookup(shapes, node.id)),
  }));
}

const keptText = (keepsAll: string | undefined) => (keepsAll === undefined ? {} : { keepsAll });

/** What the learned bits and channels come to, layer by layer. */
export function accountResult(
  network: Network,
  quantizers: ReadonlyMap<NodeId, Quantizer>,
): Pick<
  RunResult,
  | "relativeBops"
  | "relativeBopsAuthors"
  | "bytes"
  | "channels"
  | "parameters"
  | "macs"
  | "layers"
  | "products"
  | "coded"
> {
  const { layers, products, coded, channels, parameters, macs, ...sums } = account(network, quantizers);
  const { relativeBops, relativeBopsAuthors, packedBytes, fp32Bytes } = sums;
  const total = [...layers, ...products].reduce((sum, { bops }) => sum + bops, 0);
  const shareOf = (bops: number) => (total === 0 ? 0 : (100 * bops) / total);
  return {
    relativeBops,
    relativeBopsAuthors,
    bytes: { packed: packedBytes, fp32: fp32Bytes },
    channels,
    parameters,
    macs,
    ...(products.length > 0 && {
      products: products.map(({ product: { name }, bits: [left, right], bops }) => ({
        ...{ name, bits: [left, right], bops, share: shareOf(bops) },
      })),
    }),
    ...(coded.length > 0 && { coded: coded.map(codedResult) }),
    layers: layers.map((one) => ({
      name: one.layer.name,
      weightBits: one.weightBits,
      ...(one.channelBits && { channelBits: [...one.channelBits] }),
      inputBits: one.inputBits,
      keptOutputs: one.keptOutputs,
      outputs: one.outputs,
      keptInputs: one.keptInputs,
      inputs: one.inputs,
      bops: one.bops,
      share: shareOf(one.bops),
      parameters: one.parameters,
      bytes: one.bytes,
      ...(one.codebook && { codebook: { ...one.codebook } }),
    })),
  };
}

const codedResult = ({
  embedding: { node, vocabulary, units, tables },
  ...bytes
}: CodedAccount): NonNullable<RunResult["coded"]>[number] => ({
  ...{ name: node.id, vocabulary, units, groups: node.groups, codewords: node.codewords },
  ...{ shared: tables === 1 && node.groups > 1, ...bytes },
});
