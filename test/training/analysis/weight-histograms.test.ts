import fc from "fast-check";
import t from "tap";
import type { QuantizerNode } from "../../../src/kinds/quantizer.ts";
import { ChannelGroups } from "../../../src/quantizers/channel-groups.ts";
import { FixedQuantizer } from "../../../src/quantizers/fixed-quantizer.ts";
import { setBits } from "../../../src/quantizers/level-gates.ts";
import { weightHistogram } from "../../../src/training/analysis/weight-histograms.ts";

const seed = 7;

const node: QuantizerNode = {
  ...{ kind: "quantizer", id: "w", inputs: ["x"], role: "weight", signed: true },
  ...{ rectifies: false, limit: null },
};

interface Weight {
  readonly bits: 2 | 4 | 8;
  readonly range: readonly number[];
  /** By channel; without it none can be pruned. */
  readonly kept?: readonly boolean[];
}

function histogramOf({ bits, range, kept }: Weight, values: Float32Array, channels = 1) {
  const prune = kept === undefined ? null : Float64Array.from(kept, (open) => (open ? 6 : -6));
  const prior = { kind: "const", macShare: 1 } as const;
  const quantizer = new FixedQuantizer({
    node,
    phi: new Float64Array(4),
    groups: new ChannelGroups(channels, channels),
    prune,
    multiplies: prune === null ? [] : [node.id],
    range: Float64Array.from(range),
    floor: new Float64Array(1),
    prior,
  });
  setBits(quantizer, bits);
  return weightHistogram(quantizer, values, channels);
}

t.test(
  "weights on the grid of 2 bits: ±2/3 of the range and zero; those of pruned channels are left out",
  async (t) => {
    // Two channels; the second is pruned.
    const values = Float32Array.of(-0.9, 5, -0.1, 5, 0.2, 5, 0.4, 5, 2, 5);
    const { codes, clipped, limit, bins, beyond } = histogramOf(
      { bits: 2, range: [1], kept: [true, false] },
      values,
      2,
    );
    t.strictSame(codes, [1, 2, 2], "the step is 2/3: halves of it lie at ±1/3");
    t.equal(clipped, 1);
    t.equal(limit, 1.5, "a weight at twice the range is not drawn");
    t.strictSame(beyond, [0, 1]);
    t.equal(
      bins.reduce((sum, count) => sum + count, 0),
      4,
    );
  },
);

t.test("every weight is counted once, in a bin or beyond; zero lies in the middle", async (t) => {
  const weights = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 60 });
  const range = fc.float({ min: Math.fround(0.01), max: 4, noNaN: true });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(weights, range, (values, xMax) => {
        const histogram = histogramOf({ bits: 4, range: [xMax] }, Float32Array.from(values));
        const total = [...histogram.bins, ...histogram.beyond].reduce((sum, count) => sum + count, 0);
        const onGrid = histogram.codes!.reduce((sum, count) => sum + count, 0);
        return total === values.length && onGrid === values.length && histogram.limit >= xMax * (1 - 1e-6);
      }),
      { seed },
    ),
  );
  const { bins } = histogramOf({ bits: 8, range: [1] }, Float32Array.of(0, -1e-9, 1e-9));
  t.equal(bins[(bins.length - 1) / 2], 3);
});

t.test("kept channels with ranges of their own are stretched to the widest, and the record says which", async (t) => {
  // Three channels, the widest of which is pruned; in units of its range each has the same weights.
  const range = [1, 0.25, 2];
  const values = Float32Array.from([-0.9, 0.1, 0.5, 1.2].flatMap((part) => range.map((end) => part * end)));
  const histogram = histogramOf({ bits: 2, range, kept: [true, true, false] }, values, 3);
  t.strictSame(histogram.codes, [2, 2, 4], "twice -1, 0, 1 and what is clipped to 1");
  t.equal(histogram.clipped, 2);
  t.strictSame(histogram.ranges, [0.25, 1]);
  t.ok(Math.abs(histogram.limit - 1.2) < 1e-6, "in units of the widest kept range");
  t.strictSame(histogramOf({ bits: 2, range, kept: [false, true, true] }, values, 3).ranges, [0.25, 2]);
  t.notOk("ranges" in histogramOf({ bits: 2, range: [1] }, values, 3), "one range for all");
});

t.test("where all channels are pruned, no weight is counted", async (t) => {
  const pruned = { bits: 2, range: [1, 0.25], kept: [false, false] } as const;
  const histogram = histogramOf(pruned, Float32Array.of(0.5, 0.1), 2);
  t.strictSame([histogram.codes, histogram.ranges, histogram.limit], [[0, 0, 0], [0.25, 1], 1]);
});
