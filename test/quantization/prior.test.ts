import fc from "fast-check";
import t from "tap";
import { openProbability } from "../../src/quantization/hard-concrete.ts";
import { complexity, type GateParameters, type PriorWeight } from "../../src/quantization/prior.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const phi = fc.double({ min: -5, max: 5, noNaN: true });
const gates = fc.record({
  phi: fc.tuple(phi, phi, phi, phi),
  prune: fc.option(fc.array(phi, { minLength: 1, maxLength: 4 })),
});
const weight = fc.record({
  kind: fc.constantFrom<PriorWeight["kind"]>("const", "bop"),
  macShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
});

/** The cost of the levels that are reached, times the probability that they are: level by level, channel by channel. */
function expectedCost({ phi, prune }: GateParameters, { kind, macShare }: PriorWeight): number {
  const q = (phi: number) => openProbability(phi).value;
  const cost = (bits: number) => (kind === "const" ? 1 : bits * macShare);
  const [q4, q8, q16, q32] = Array.from(phi, q) as [number, number, number, number];
  const above = q4 * (cost(4) + q8 * (cost(8) + q16 * (cost(16) + q32 * cost(32))));
  if (prune === null) return 1 + above;
  return Array.from(prune, (phi) => q(phi) * (cost(2) + above)).reduce((sum, value) => sum + value, 0) / prune.length;
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
