import { lookup } from "../../core/lookup.ts";
import type { NodeId } from "../../graph/graph.ts";
import { forward } from "../../network/passes.ts";
import type { BitWidth } from "../../quantization/levels.ts";
import type { Quantizer } from "../../quantizers/abstract-quantizer.ts";
import type { Model } from "../model.ts";
import { passOf, soleInput } from "../pass.ts";
import { ActivationHistogram, coveringRange } from "./activation-histogram.ts";
import type { CalibrationImages } from "./calibration-images.ts";

/** The range of an activation that is never above zero, or has no values: any will do. */
const DEAD_RANGE = 1;

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
  const largest = new Map<NodeId, number>(wanted.map(({ node }) => [node.id, 0]));
  overActivations(float, wanted, images, ({ node }, values) => {
    let most = lookup(largest, node.id);
    for (let index = 0; index < values.length; index++) {
      const value = node.signed ? Math.abs(values[index]!) : values[index]!;
      if (value > most) most = value;
    }
    largest.set(node.id, Math.min(most, node.limit ?? Number.POSITIVE_INFINITY));
  });
  const alive = wanted.filter(({ node }) => lookup(largest, node.id) > 0);
  const histograms = new Map(
    alive.map(({ node }) => [node.id, new ActivationHistogram(lookup(largest, node.id), node.signed)]),
  );
  if (rule === "mse") {
    overActivations(float, alive, images, ({ node }, values) => lookup(histograms, node.id).add(values));
  }
  for (const { node, range, bits } of wanted) {
    const most = lookup(largest, node.id);
    // Activations have no grids of 3 bits.
    const width = bits as BitWidth;
    if (most === 0) range[0] = DEAD_RANGE;
    else if (rule === "max") range[0] = coveringRange(most, width, node.signed);
    else range[0] = lookup(histograms, node.id).bestRange(width);
  }
  return wanted.filter((quantizer) => !alive.includes(quantizer)).map(({ node }) => node.id);
}

/** Shows what each quantizer will read, batch by batch. */
function overActivations(
  float: Model,
  quantizers: readonly Quantizer[],
  images: CalibrationImages,
  see: (quantizer: Quantizer, values: ArrayLike<number>) => void,
): void {
  const { ops, network } = float;
  const readers = new Map<NodeId, Quantizer[]>();
  for (const quantizer of quantizers) {
    const [source] = quantizer.node.inputs;
    readers.set(source, [...(readers.get(source) ?? []), quantizer]);
  }
  for (const upload of images.batches(ops)) {
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
