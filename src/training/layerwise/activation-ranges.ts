import { lookup } from "../../core/lookup.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { QuantizerNode } from "../../kinds/quantizer.ts";
import { forward } from "../../network/passes.ts";
import type { BitWidth } from "../../quantization/levels.ts";
import type { Quantizer } from "../../quantizers/abstract-quantizer.ts";
import type { Model } from "../model.ts";
import { passOf, soleInput } from "../pass.ts";
import { ActivationHistogram, coveringRange } from "./activation-histogram.ts";
import type { CalibrationImages } from "./calibration-images.ts";

/** The range of an activation that is never above zero, or has no values: any will do. */
const DEAD_RANGE = 1;

/** What activations come to on some images, by the quantizers that read them. */
export interface SeenActivations {
  /** Largest value, or magnitude where it is signed, up to its limit. */
  readonly largest: ReadonlyMap<NodeId, number>;
  /** Of those that are above zero somewhere, where histograms were asked for. */
  readonly histograms: ReadonlyMap<NodeId, ActivationHistogram>;
}

/** Looks at what quantizers will read, in the float32 network; a second time for histograms. */
export function seeActivations(
  float: Model,
  nodes: readonly QuantizerNode[],
  images: CalibrationImages,
  { histograms: wanted }: { readonly histograms: boolean },
): SeenActivations {
  const largest = new Map<NodeId, number>(nodes.map(({ id }) => [id, 0]));
  overActivations(float, nodes, images, (node, values) => {
    let most = lookup(largest, node.id);
    for (let index = 0; index < values.length; index++) {
      const value = node.signed ? Math.abs(values[index]!) : values[index]!;
      if (value > most) most = value;
    }
    largest.set(node.id, Math.min(most, node.limit ?? Number.POSITIVE_INFINITY));
  });
  const alive = nodes.filter(({ id }) => lookup(largest, id) > 0);
  const histograms = new Map(alive.map(({ id, signed }) => [id, new ActivationHistogram(lookup(largest, id), signed)]));
  if (wanted) overActivations(float, alive, images, ({ id }, values) => lookup(histograms, id).add(values));
  return { largest, histograms };
}

/**
 * Sets the ranges of activation quantizers, whose bit-widths stand, from the float32 network's activations: up to the
 * largest value (`max`), or with the least squared error on a histogram (`mse`). Those of 32 bits stay as they are.
 *
 * @returns The quantizers that saw nothing but zeros.
 */
export function calibrateRanges(
  float: Model,
  quantizers: ReadonlyMap<NodeId, Quantizer>,
  images: CalibrationImages,
  rule: "max" | "mse",
): readonly NodeId[] {
  const wanted = [...quantizers.values()].filter(({ node, bits }) => node.role === "activation" && bits !== 32);
  const nodes = wanted.map(({ node }) => node);
  const seen = seeActivations(float, nodes, images, { histograms: rule === "mse" });
  // Activations have no grids of 3 bits.
  for (const { node, range, bits } of wanted) range[0] = rangeOf(seen, node, bits as BitWidth, rule);
  return nodes.map(({ id }) => id).filter((id) => lookup(seen.largest, id) === 0);
}

/** The range of an activation at so many bits. */
export function rangeOf(
  { largest, histograms }: SeenActivations,
  { id, signed }: QuantizerNode,
  bits: BitWidth,
  rule: "max" | "mse",
): number {
  const most = lookup(largest, id);
  if (most === 0) return DEAD_RANGE;
  return rule === "max" ? coveringRange(most, bits, signed) : lookup(histograms, id).bestRange(bits);
}

/** Shows what each quantizer will read, batch by batch. */
function overActivations(
  float: Model,
  quantizers: readonly QuantizerNode[],
  images: CalibrationImages,
  see: (quantizer: QuantizerNode, values: ArrayLike<number>) => void,
): void {
  const { ops, network } = float;
  const readers = new Map<NodeId, QuantizerNode[]>();
  for (const quantizer of quantizers) {
    const [source] = quantizer.inputs;
    readers.set(source, [...(readers.get(source) ?? []), quantizer]);
  }
  for (const upload of images.batches(float)) {
    ops.scope(
      () => {
        forward(network, passOf(float, new Map(), soleInput(network, upload()), { training: false }), {
          keep: false,
          observe: (node, output) => {
            const reading = readers.get(node.id);
            if (reading === undefined) return;
            const values = ops.read(output);
            for (const quantizer of reading) see(quantizer, values);
          },
        });
      },
      () => [],
    );
  }
}
