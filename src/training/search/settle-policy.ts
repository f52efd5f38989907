import { at, last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { Policy } from "../../methods/autoq/search-space.ts";
import { layersOf } from "../../network/layers.ts";
import { bitWidths, type ChannelBits } from "../../quantization/levels.ts";
import { setKept } from "../../quantizers/channel-gates.ts";
import { setBits, setGroupBits } from "../../quantizers/level-gates.ts";
import type { Model } from "../model.ts";
import type { PolicyEvaluator } from "./policy-evaluator.ts";

/** The width that a channel of so many bits has in training and in files: the next of 2, 4 and 8; 0: it is pruned. */
export const containerOf = (bits: number): ChannelBits =>
  bits === 0 ? 0 : (bitWidths.find((width) => width >= bits) ?? last(bitWidths));

/**
 * Sets a policy's widths into the quantizers, rounded up to those that they can have, and the ranges with which it was
 * measured: of weights where channels have ranges of their own, and of activations.
 *
 * @returns How many output channels had another width.
 */
export function settlePolicy(
  { network, quantizers }: Pick<Model, "network" | "quantizers">,
  evaluator: Pick<PolicyEvaluator, "kernelsOf" | "gridsOf">,
  policy: Policy,
): number {
  let rounded = 0;
  for (const [layer, { weightQuantizer }] of layersOf(network).entries()) {
    if (weightQuantizer === null) continue;
    const { phi, prune, groups, range, floor } = lookup(quantizers, weightQuantizer);
    const given = Array.from(at(policy.weights, layer));
    const bits = given.map(containerOf);
    rounded += given.filter((width, channel) => width !== bits[channel]).length;
    const widths = bits.map((width) => width || bitWidths[0]);
    if (groups.count === 1) setBits({ phi }, at(widths, 0));
    else setGroupBits({ phi }, widths);
    if (prune !== null) setKept(prune, (channel) => bits[channel] !== 0);
    // A range for each channel, which a layer of one has in any case.
    if (range.length === widths.length) {
      for (const [channel, width] of widths.entries()) {
        // The grid's step is 2·range/(2^bits - 1).
        const { step } = evaluator.kernelsOf(layer).kernel(channel, width);
        range[channel] = Math.max(at(floor, 0), (step * (2 ** width - 1)) / 2);
      }
    }
  }
  for (const [id, { bits, xMax }] of evaluator.gridsOf(policy)) {
    const quantizer = lookup(quantizers, id);
    setBits(quantizer, bits);
    quantizer.range[0] = xMax;
  }
  return rounded;
}
