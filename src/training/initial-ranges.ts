import { at } from "../core/elements.ts";
import { UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import { forward } from "../network/passes.ts";
import type { GridBits } from "../quantization/levels.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";
import { floorFor } from "../quantizers/range.ts";
import { ActivationHistogram } from "./layerwise/activation-histogram.ts";
import type { Model } from "./model.ts";
import { type GateSamples, passOf, soleInput } from "./pass.ts";

/** The authors take a signed tensor's largest element; that is no other rule where it is so near its largest magnitude. */
const SAME = 0.9;

/** Images that ranges of least squared error are taken from; the largest element is, as by the authors, one of two. */
export const rangeImages = { max: 2, mse: 64 } as const;

/** How first ranges are found: the largest element, or the least squared error at the bits that a tensor begins with. */
export type RangeRule = keyof typeof rangeImages;

/**
 * Sets every range from one forward pass over a few images, each tensor seeing already quantized predecessors
 * (docs/method.md, "Training"). By `max` it is an activation's largest element and a signed tensor's or a channel's largest
 * magnitude, or, as the authors do, its largest element where that is nearly the same; by `mse` the one, up to that
 * magnitude, with the least squared error.
 *
 * @param draw Gates for the ranges known so far: called before each quantizer is used.
 * @throws UserError that names a quantizer whose tensor holds nothing but zeros, or, unsigned, nothing above.
 */
export function initializeRanges(
  model: Model,
  makeImages: () => Tensor,
  draw: () => GateSamples,
  rule: RangeRule = "max",
): void {
  const { ops, network, quantizers } = model;
  const readers = new Map<NodeId, NodeId[]>();
  for (const [id, { node }] of quantizers) {
    const source = node.inputs[0];
    readers.set(source, [...(readers.get(source) ?? []), id]);
  }
  ops.scope(
    () => {
      const first = passOf(model, draw(), soleInput(network, makeImages()), { training: true, momentum: 0 });
      const pass = {
        ...first,
        quantizer: (id: NodeId) => ({ ...first.quantizer(id), ...lookup(quantizers, id).rangeParameters }),
      };
      forward(network, pass, {
        keep: false,
        observe: (node, output) => {
          for (const id of readers.get(node.id) ?? []) setRange(lookup(quantizers, id), ops.read(output), rule);
        },
      });
    },
    () => [],
  );
}

function setRange(quantizer: Quantizer, values: ArrayLike<number>, rule: RangeRule): void {
  const { node, range, floor } = quantizer;
  const element = new Float64Array(range.length);
  const magnitude = new Float64Array(range.length);
  for (let index = 0; index < values.length; index++) {
    const channel = index % range.length;
    const value = values[index]!;
    if (value > element[channel]!) element[channel] = value;
    if (Math.abs(value) > magnitude[channel]!) magnitude[channel] = Math.abs(value);
  }
  const isTensor = range.length === 1;
  const largest = (node.signed ? magnitude : element).reduce((most, size) => Math.max(most, size), 0);
  if (!(largest > 0)) {
    const what = node.role === "weight" ? "only zeros" : "nothing above zero on the first images";
    throw new UserError(
      `the range of ${node.id} has no start: its tensor holds ${what}; leave its layer out of the network, or train the network before it is quantized`,
    );
  }
  floor[0] = floorFor(largest);
  for (const [channel, size] of magnitude.entries()) {
    const own = isTensor && (!node.signed || element[channel]! >= SAME * size) ? element[channel]! : size;
    const first =
      rule === "max" ? own : bestRange(quantizer, values, { channel, largest: node.signed ? size : element[channel]! });
    range[channel] = Math.max(at(floor, 0), first);
  }
  // It stands in the place of a ReLU6, behind which nothing is larger.
  if (node.limit !== null) range[0] = Math.min(at(range, 0), node.limit);
}

/** The range of a tensor, or of a channel, with the least squared error at its bits; from 16 bits on, its magnitude. */
function bestRange(
  { node: { signed }, range, bits, channelBits }: Quantizer,
  values: ArrayLike<number>,
  { channel, largest }: { readonly channel: number; readonly largest: number },
): number {
  const width = (range.length > 1 ? channelBits?.[channel] : null) || bits;
  if (!(largest > 0) || !isSearched(width)) return largest;
  const histogram = new ActivationHistogram(largest, signed);
  const own =
    range.length === 1
      ? values
      : Float32Array.from(
          { length: values.length / range.length },
          (_, index) => values[index * range.length + channel]!,
        );
  histogram.add(own);
  return histogram.bestRange(width);
}

/** Grids so fine that clipping gains nothing are left out. */
const isSearched = (bits: GridBits): bits is 2 | 4 | 8 => bits === 2 || bits === 4 || bits === 8;
