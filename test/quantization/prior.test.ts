import fc from "fast-check";
import t from "tap";
import { openProbability } from "../../src/quantization/hard-concrete.ts";
import { complexity, type GateParameters, type PriorWeight } from "../../src/quantization/prior.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const phi = fc.double({ min: -5, max: 5, noNaN: true });
/** Of channels in groups that share the gates of their levels; of one group most of the time. */
const gates = fc
  .record({ channels: fc.integer({ min: 1, max: 6 }), size: fc.integer({ min: 1, max: 6 }), prunes: fc.boolean() })
  .chain(({ channels, size, prunes }) => {
    const groups = { channels, size: Math.min(size, channels) };
    const levels = 4 * Math.ceil(channels / groups.size);
    return fc.record({
      phi: fc.array(phi, { minLength: levels, maxLength: levels }),
      prune: prunes ? fc.array(phi, { minLength: channels, maxLength: channels }) : fc.constant(null),
      groups: fc.constant(groups),
    });
  });
const weight = fc.record({
  kind: fc.constantFrom<PriorWeight["kind"]>("const", "bop"),
  macShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
});

/** The cost of the levels that are reached, times the probability that they are: level by level, channel by channel. */
function expectedCost({ phi, prune, groups }: GateParameters, { kind, macShare }: PriorWeight): number {
  const q = (phi: number) => openProbability(phi).value;
  const cost = (bits: number) => (kind === "const" ? 1 : bits * macShare);
  const count = phi.length / 4;
  let sum = 0;
  for (let channel = 0; channel < groups.channels; channel++) {
    const group = Math.floor(channel / groups.size);
    const [q4, q8, q16, q32] = [0, 1, 2, 3].map((level) => q(phi[level * count + group]!)) as [
      number,
      number,
      number,
      number,
    ];
    const above = q4 * (cost(4) + q8 * (cost(8) + q16 * (cost(16) + q32 * cost(32))));
    sum += prune === null ? 1 + above : q(prune[channel]!) * (cost(2) + above);
  }
  return sum / groups.channels;
}

const isNear = (actual: number, expected: number, what: string, tolerance: number) =>
  expect(Math.abs(actual - expected) <= tolerance * (1 + Math.abs(expected)), `${what}: ${actual}, not ${expected}`);

t.test("complexity is the expected cost of the levels that are open", async (t) => {
  lawHolds(t, fc.record({ gates, weight }), ({ gates, weight }) => {
    isNear(complexity(gates, weight).value, expectedCost(gates, weight), "value", 1e-12);
  });
});

t.test("its gradients agree with differences", async (t) => {
  lawHolds(t, fc.record({ gates, weight }), ({ gates, weight }) => {
    const { gradient, pruneGradient } = complexity(gates, weight);
    const slope = (moved: (by: number) => GateParameters) =>
      (complexity(moved(1e-5), weight).value - complexity(moved(-1e-5), weight).value) / 2e-5;
    const move = (values: ArrayLike<number>, index: number, by: number) =>
      Array.from(values).with(index, values[index]! + by);
    gradient.forEach((derivative, i) => {
      isNear(
        derivative,
        slope((by) => ({ ...gates, phi: move(gates.phi, i, by) })),
        `level ${i}`,
        1e-6,
      );
    });
    const { prune } = gates;
    if (prune === null) expect(pruneGradient === null, "there is nothing to prune");
    else {
      expect(pruneGradient!.length === prune.length, "one for each channel");
      prune.forEach((_, i) => {
        isNear(
          pruneGradient![i]!,
          slope((by) => ({ ...gates, prune: move(prune, i, by) })),
          `channel ${i}`,
          1e-6,
        );
      });
    }
  });
});

t.test("groups with the same gates cost what channels cost that share them", async (t) => {
  lawHolds(t, fc.record({ gates, weight }), ({ gates: { phi, prune, groups }, weight }) => {
    const own = [0, 1, 2, 3].map((level) => phi[level]!);
    const count = phi.length / 4;
    const apart = { phi: own.flatMap((value) => new Array<number>(count).fill(value)), prune, groups };
    const shared = { phi: own, prune, groups: { channels: groups.channels, size: groups.channels } };
    isNear(complexity(apart, weight).value, complexity(shared, weight).value, "value", 1e-12);
    const gradient = complexity(apart, weight).gradient;
    complexity(shared, weight).gradient.forEach((expected, level) => {
      const sum = gradient.slice(level * count, (level + 1) * count).reduce((total, value) => total + value, 0);
      isNear(sum, expected, `level ${level}`, 1e-12);
    });
  });
});
