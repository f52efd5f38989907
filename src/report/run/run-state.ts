import type { EpochRecord, LearnedQuantizer, RunRecord, RunResult } from "../../runs/record.ts";
import type { BitWidth } from "../page/chips.ts";
import { learnedBits, type TensorBits } from "../page/tensor-bits.ts";

/** What the last finished epoch, or the last layer quantized, says of a quantizer; null before the first. */
export function learnedNow(record: RunRecord, id: string): LearnedQuantizer | null {
  return record.epochs.at(-1)?.quantizers[id] ?? record.postTraining?.quantizers[id] ?? null;
}

/** Whether a quantizer's weight is codes into a codebook, which lies on no grid and has no range. */
export function isInCodebook({ codebooks, quantizers }: RunRecord, id: string): boolean {
  const quantizer = quantizers.find((quantizer) => quantizer.id === id);
  return quantizer?.role === "weight" && (codebooks?.layers.some(({ name }) => name === quantizer.layer) ?? false);
}

/** Bits shown for a quantizer: 0 where every channel is pruned, null before the first epoch. */
export function bitsNow(record: RunRecord, id: string): BitWidth | null {
  const learned = learnedNow(record, id);
  return learned?.kept === 0 ? 0 : (learned?.bits ?? null);
}

/** The same with the mean of a weight's output channels, where they have several widths. */
export function tensorBitsNow(record: RunRecord, id: string): TensorBits | null {
  const learned = learnedNow(record, id);
  const layer = record.network.layers.find(({ weightQuantizer }) => weightQuantizer === id);
  const result = record.result?.layers.find(({ name }) => name === layer?.name);
  // A run without epochs has learned nothing, and may have a result.
  return learned === null ? (result?.weightBits ?? null) : learnedBits(learned, result?.channelBits);
}

/** The id of a layer's row in the table of layers, by its place in the network. */
export const layerRow = (place: number): string => `layer-${place + 1}`;

type Layer = RunRecord["network"]["layers"][number];

export interface LayerState {
  readonly layer: Layer;
  /** null before the first epoch. */
  readonly weightBits: TensorBits | null;
  /** Of the activation it reads; null before the first epoch, and where only the network's graph tells. */
  readonly inputBits: BitWidth | null;
  readonly outputs: number;
  /** Output channels that are left; null before the first epoch where they have gates. */
  readonly kept: number | null;
  /** Whether channels can be pruned, by gates of its own or with those of others. */
  readonly prunes: boolean;
}

/**
 * The layers as they stand after the last epoch, in the network's order. A weight without a quantizer has 32 bits. Once
 * there is a result, it says what a layer reads and keeps.
 */
export function layerStates(record: RunRecord): readonly LayerState[] {
  const known = new Map(record.quantizers.map((quantizer) => [quantizer.id, quantizer]));
  const results = new Map(record.result?.layers.map((result) => [result.name, result]));
  return record.network.layers.map((layer) => {
    const { name, weightQuantizer, inputQuantizer } = layer;
    const result = results.get(name);
    const outputs = layer.outputShape.at(-1) ?? 0;
    const learned = weightQuantizer === null ? null : learnedNow(record, weightQuantizer);
    const hasGates = weightQuantizer !== null && (known.get(weightQuantizer)?.channels ?? null) !== null;
    const kept = result?.keptOutputs ?? (hasGates ? (learned?.kept ?? null) : outputs);
    return {
      layer,
      weightBits: weightQuantizer === null ? 32 : tensorBitsNow(record, weightQuantizer),
      inputBits: result?.inputBits ?? (inputQuantizer === null ? null : bitsNow(record, inputQuantizer)),
      outputs,
      kept,
      prunes: hasGates || (kept !== null && kept < outputs),
    };
  });
}

type Product = NonNullable<RunRecord["network"]["products"]>[number];
type ProductResult = NonNullable<RunResult["products"]>[number];

/** A product of two activations. */
export interface ProductState {
  readonly product: Product;
  /** Of what it multiplies; null before the first epoch. */
  readonly bits: readonly (BitWidth | null)[];
  /** null: there is no result yet. */
  readonly result: ProductResult | null;
}

/** The products as they stand after the last epoch, in the network's order. What has no quantizer has 32 bits. */
export function productStates(record: RunRecord): readonly ProductState[] {
  const results = new Map(record.result?.products?.map((result) => [result.name, result]));
  return (record.network.products ?? []).map((product) => ({
    product,
    bits: product.quantizers.map((id) => (id === null ? 32 : bitsNow(record, id))),
    result: results.get(product.name) ?? null,
  }));
}

/** Output channels that are left of each weight, by its quantizer: as export keeps them once there is a result. */
export const weightsKept = (record: RunRecord): ReadonlyMap<string, number | null> =>
  new Map(
    layerStates(record).flatMap(({ layer: { weightQuantizer }, kept }) =>
      weightQuantizer === null ? [] : [[weightQuantizer, kept] as const],
    ),
  );

/** Output channels whose gate is open after the last epoch, over all layers; null before the first. */
export function channelsNow(record: RunRecord): { readonly kept: number; readonly of: number } | null {
  if (record.epochs.length === 0) return null;
  const pruned = record.quantizers.filter(({ channels }) => channels !== null);
  const kept = pruned.reduce((sum, { id }) => sum + (learnedNow(record, id)?.kept ?? 0), 0);
  return { kept, of: pruned.reduce((sum, { channels }) => sum + (channels ?? 0), 0) };
}

/** Images of the split on which the epochs are evaluated. */
export const evaluationImages = (record: RunRecord, { evaluation }: EpochRecord): number =>
  evaluation.split === "test" ? record.data.testImages : record.data.validationImages;
