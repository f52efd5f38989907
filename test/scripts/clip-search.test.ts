import fc from "fast-check";
import t from "tap";
import { clipThreshold, quantizeLinear } from "../../scripts/conformance/haq/clip-search.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

// The figures of HAQ's own are checked with the golden files.

const values = fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 1, maxLength: 80 });
const roles = fc.constantFrom("weight" as const, "activation" as const);

t.test("values lie on the grid, at most half a step from what is clipped", async (t) => {
  lawHolds(t, fc.tuple(values, roles, fc.integer({ min: 2, max: 8 })), ([drawn, role, bits]) => {
    const values = role === "weight" ? drawn : drawn.map(Math.abs);
    const threshold = clipThreshold(values, bits, role);
    const largest = Math.max(...values.map(Math.abs));
    expect(role === "weight" || threshold <= Math.min(6, largest), "no further than the activations");
    expect(bits < 5 || threshold === (role === "weight" ? largest : Math.min(6, largest)), "5 bits clip nothing");
    const levels = role === "weight" ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
    const step = threshold / levels;
    quantizeLinear(values, { bits, role, threshold }).forEach((value, index) => {
      const clipped = Math.min(threshold, Math.max(-threshold, values[index]!));
      expect(Math.abs(value - clipped) <= step / 2 + 1e-5, `${values[index]} became ${value}`);
    });
  });
});

t.test("zeros stay zeros", async (t) => {
  const zeros = [0, 0, 0];
  for (const bits of [2, 8]) {
    const threshold = clipThreshold(zeros, bits, "weight");
    t.strictSame([...quantizeLinear(zeros, { bits, role: "weight", threshold })], zeros);
  }
});
