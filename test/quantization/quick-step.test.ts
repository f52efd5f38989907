import fc from "fast-check";
import t from "tap";
import { uniforms } from "../../src/core/random.ts";
import { quickStep } from "../../src/quantization/quick-step.ts";
import { largestMagnitude, searchGrid } from "../../src/quantization/scale-search.ts";
import { nearestCode, symmetricCodes, symmetricGrid, weightBits } from "../../src/quantization/weight-grid.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

/** Most of them small, few large, as weights are. */
const weights = (seed: number): Float32Array =>
  Float32Array.from(uniforms({ seed, stream: "weights", counter: 0 }, 500)).map((value) => (2 * value - 1) ** 3);

const lossOf = (values: Float32Array, bits: number, step: number): number =>
  values.reduce((sum, value) => {
    const grid = symmetricGrid(bits, step);
    return sum + Math.abs(value - grid.step * nearestCode(value, grid)) ** 2.4;
  }, 0);

t.test("the quick step loses as little as the best of 80", async (t) => {
  const seeds = fc.record({
    seed: fc.nat(),
    bits: fc.constantFrom(...weightBits),
    scale: fc.constantFrom(1e-4, 1, 300),
  });
  lawHolds(t, seeds, ({ seed, bits, scale }) => {
    const values = weights(seed).map((value) => scale * value);
    const largest = largestMagnitude(values);
    const covering = largest / symmetricCodes(bits).highest;
    const { grid } = searchGrid(values, (shrink) => symmetricGrid(bits, covering * shrink));
    const quick = lossOf(values, bits, quickStep(values, symmetricCodes(bits), largest));
    const best = lossOf(values, bits, grid.step);
    expect(quick <= 1.01 * best, `${quick} of ${bits} bits, where 80 steps give ${best}`);
  });
});

t.test("zeros have no step", async (t) => {
  t.equal(quickStep(new Float32Array(3), symmetricCodes(4), 0), 0);
});
