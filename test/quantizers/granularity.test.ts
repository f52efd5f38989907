import fc from "fast-check";
import t from "tap";
import type { Gate } from "../../src/quantization/hard-concrete.ts";
import { bitWidths, perGate } from "../../src/quantization/levels.ts";
import { ChannelGroups } from "../../src/quantizers/channel-groups.ts";
import { FixedQuantizer } from "../../src/quantizers/fixed-quantizer.ts";
import { sampleOf } from "../../src/quantizers/gate-sample.ts";
import { drawLevels, learnedLevels, levelProbabilities, setGroupBits } from "../../src/quantizers/level-gates.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const parameter = fc.double({ min: -4, max: 4, noNaN: true });
const cases = fc.integer({ min: 1, max: 6 }).chain((groups) =>
  fc.record({
    phi: fc.array(parameter, { minLength: 4 * groups, maxLength: 4 * groups }),
    numbers: fc.array(fc.double({ min: 0.01, max: 0.99, noNaN: true }), {
      minLength: 4 * groups,
      maxLength: 4 * groups,
    }),
    inner: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 5 * groups, maxLength: 5 * groups }),
    order: fc.shuffledSubarray(
      Array.from({ length: groups }, (_, group) => group),
      { minLength: groups, maxLength: groups },
    ),
  }),
);

/** Draws in the order that they are asked for. */
function from(numbers: readonly number[]) {
  let drawn = 0;
  return (count: number) => {
    drawn += count;
    return numbers.slice(drawn - count, drawn);
  };
}

/** The gradient of the level gates, from the inner products of each channel. */
function gradientOf(phi: readonly number[], numbers: readonly number[], inner: readonly number[]) {
  const count = phi.length / 4;
  const groups = new ChannelGroups(count, 1);
  const values = Float64Array.from(phi);
  const sample = sampleOf({ xMax: 1, ranges: null }, drawLevels(values, from(numbers)), null, groups);
  const levels = new Map(bitWidths.map((bits, level) => [bits, inner.slice(level * count, (level + 1) * count)]));
  return {
    levels: sample.levels,
    gradient: learnedLevels(values, groups).gradient({
      ...{ sample, priorStrength: 0, sums: { range: [0], levels, channels: null } },
      prior: { value: 0, gradient: new Float64Array(phi.length), pruneGradient: null },
    }),
  };
}

t.test("channels in another order have their gates and gradients in that order", async (t) => {
  lawHolds(t, cases, ({ phi, numbers, inner, order }) => {
    const moved = <T>(values: readonly T[]) =>
      Array.from({ length: values.length / order.length }, (_, level) =>
        order.map((group) => values[level * order.length + group]!),
      ).flat();
    const plain = gradientOf(phi, numbers, inner);
    const other = gradientOf(moved(phi), moved(numbers), moved(inner));
    expect(
      order.every((group, place) =>
        [0, 1, 2, 3].every(
          (level) =>
            plain.levels.values[level * order.length + group] === other.levels.values[level * order.length + place],
        ),
      ),
      "gates",
    );
    expect(
      moved([...plain.gradient]).every((value, index) => value === other.gradient[index]),
      "gradients",
    );
  });
});

t.test("a channel's gates and gradients are those of a tensor with its numbers", async (t) => {
  lawHolds(t, cases, ({ phi, numbers, inner }) => {
    const count = phi.length / 4;
    const all = gradientOf(phi, numbers, inner);
    for (let group = 0; group < count; group++) {
      const own = (values: readonly number[]) => values.filter((_, index) => index % count === group);
      const alone = gradientOf(own(phi), own(numbers), own(inner));
      alone.gradient.forEach((value, level) => {
        expect(value === all.gradient[level * count + group], `group ${group}, level ${level}`);
      });
    }
  });
});

t.test(
  "terms have one weight where all channels do and nothing is learned of each, else one for each channel",
  async (t) => {
    const closed = { value: 0, derivative: 0 };
    const open = { value: 1, derivative: 0 };
    const half = { value: 0.5, derivative: 0.1 };
    /** Of z_4 of two groups, the others closed. */
    const weights = ([first, second]: readonly [Gate, Gate]) =>
      sampleOf(
        { xMax: 1, ranges: null },
        {
          values: Float64Array.of(first.value, second.value, 0, 0, 0, 0, 0, 0),
          derivatives: Float64Array.of(first.derivative, second.derivative, 0, 0, 0, 0, 0, 0),
        },
        null,
        new ChannelGroups(3, 2),
      ).parameters.terms.map(({ bits, weight }) => [bits, typeof weight === "number" ? weight : [...weight]]);
    t.strictSame(weights([open, open]), [[4, 1]]);
    t.strictSame(weights([closed, open]), [
      [2, [1, 1, 0]],
      [4, [0, 0, 1]],
    ]);
    t.strictSame(weights([half, half]), [
      [2, [0.5, 0.5, 0.5]],
      [4, [0.5, 0.5, 0.5]],
    ]);
  },
);

t.test(
  "groups that share their gates learn from the sums of their channels; the last one may be smaller",
  async (t) => {
    const groups = new ChannelGroups(5, 2);
    t.strictSame([groups.count, groups.of(3), groups.of(4)], [3, 1, 2]);
    t.strictSame([...groups.spread([1, 2, 3])], [1, 1, 2, 2, 3]);
    t.strictSame([...groups.sum([1, 2, 3, 4, 5])], [3, 7, 5]);
  },
);

t.test("gates of many groups learn faster, up to three times; those of one for all as the tensor's", async (t) => {
  const rateOf = (channels: number, size: number) => {
    const groups = new ChannelGroups(channels, size);
    return learnedLevels(new Float64Array(4 * groups.count), groups).rate!();
  };
  t.strictSame([rateOf(64, 64), rateOf(64, 16), rateOf(64, 8), rateOf(64, 1)], [1, 2, Math.sqrt(8), 3]);
});

t.test(
  "widths by channel: what is given is what stands, pruned channels have none, and means are of the kept",
  async (t) => {
    const quantizer = new FixedQuantizer({
      node: {
        ...{ kind: "quantizer", id: "w", inputs: ["x"], role: "weight", signed: true },
        ...{ rectifies: false, limit: null },
      } as const,
      phi: new Float64Array(16),
      groups: new ChannelGroups(4, 1),
      prune: Float64Array.of(6, 6, -6, 6),
      multiplies: ["w"],
      range: Float64Array.of(1),
      floor: Float64Array.of(1e-5),
      prior: { kind: "const", macShare: 1 },
    });
    setGroupBits(quantizer, [4, 2, 32, 8]);
    t.strictSame(quantizer.channelBits, [4, 2, 0, 8]);
    t.equal(quantizer.bits, 8, "of the widest that is kept");
    t.strictSame(quantizer.bitsOf([1]), 2);
    t.strictSame(quantizer.bitsOf([0, 2, 3]), [4, 0, 8]);
    const probabilities = quantizer.probabilities;
    const own = perGate((level) => [0, 1, 2, 3].map((group) => levelProbabilities(quantizer.phi, group)[level]!));
    for (const [level, values] of own.entries()) {
      t.ok(Math.abs(probabilities[level]! - values.reduce((sum, value) => sum + value, 0) / 4) < 1e-6);
    }
    const { scale, codes } = quantizer.encode(Float32Array.of(0.5, 0.5, 0, 0.5));
    t.strictSame([...codes], [4, 1, 0, 64], "each channel on its own grid");
    t.ok(
      [...(scale as Float32Array)].every(
        (step, channel) => channel === 2 || Math.abs(step - 2 / [15, 3, 1, 255][channel]!) < 1e-7,
      ),
    );
  },
);
