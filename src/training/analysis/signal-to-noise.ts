import { decibels } from "../../core/decibels.ts";
import { last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { ByteBatch, Normalization } from "../../data/dataset.ts";
import { readFloats } from "../../engine/read-floats.ts";
import type { NodeId } from "../../graph/graph.ts";
import { forward } from "../../network/passes.ts";
import type { Quantizer } from "../../quantizers/abstract-quantizer.ts";
import type { Model } from "../model.ts";
import { networkInput } from "../network-input.ts";
import { passOf, soleInput, testTimeGates } from "../pass.ts";

/**
 * By quantizer: how much louder the float values that it reads are than what quantizing them takes away, in decibels:
 * 10·log10(Σ x² / Σ (x - q)²), with the test-time gates, of the kept channels of a weight, of the activations of these
 * images as they come in the quantized network. What the ReLU cuts off in whose place a quantizer stands is no noise.
 * Null where nothing is lost or nothing is there: 32 bits, only zeros, a weight that lies on its grid already.
 */
export function signalToNoise(
  model: Model,
  sample: Pick<ByteBatch, "count" | "images">,
  normalization: Normalization | null,
): ReadonlyMap<NodeId, number | null> {
  const { ops, network, quantizers } = model;
  const ratios = new Map<NodeId, number | null>();
  ops.scope(
    () => {
      const inputs = soleInput(network, networkInput(model, sample, normalization));
      forward(network, passOf(model, testTimeGates(model), inputs, { training: false }), {
        keep: false,
        observe: (node, output, [read]) => {
          if (node.kind !== "quantizer" || read === undefined) return;
          const quantizer = lookup(quantizers, node.id);
          const channels = quantizer.prune?.length ?? last(read.shape);
          const values = { before: readFloats(ops, read), after: readFloats(ops, output) };
          ratios.set(node.id, quantizer.bits === 32 ? null : ratioOf(quantizer, { ...values, channels }));
        },
      });
    },
    () => [],
  );
  return ratios;
}

function ratioOf(
  { node, kept }: Pick<Quantizer, "node" | "kept">,
  {
    before,
    after,
    channels,
  }: { readonly before: Float32Array; readonly after: Float32Array; readonly channels: number },
): number | null {
  const { signed, limit } = node;
  const [least, most] = [signed ? Number.NEGATIVE_INFINITY : 0, limit ?? Number.POSITIVE_INFINITY];
  const isKept = kept && new Set(kept);
  let [signal, noise] = [0, 0];
  for (const [index, value] of before.entries()) {
    if (isKept !== null && !isKept.has(index % channels)) continue;
    const x = Math.max(least, Math.min(most, value));
    const lost = x - (after[index] ?? 0);
    signal += x * x;
    noise += lost * lost;
  }
  return signal > 0 && noise > 0 ? decibels(signal / noise) : null;
}
