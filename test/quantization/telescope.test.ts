import fc from "fast-check";
import t from "tap";
import type { PerGate } from "../../src/quantization/levels.ts";
import { telescope } from "../../src/quantization/telescope.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const gate = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const gates = fc.tuple(gate, gate, gate, gate);

t.test("the weights share out 1 over the grids of 2 to 32 bits", async (t) => {
  lawHolds(t, gates, (z) => {
    const terms = telescope(z);
    expect(`${terms.map(({ bits }) => bits)}` === "2,4,8,16,32", "the grids");
    expect(
      terms.every(({ weight }) => weight >= 0),
      "a negative weight",
    );
    expect(Math.abs(terms.reduce((sum, { weight }) => sum + weight, 0) - 1) < 1e-12, "they do not sum to 1");
    const [z4, z8, z16, z32] = z;
    const reached = [1, z4, z4 * z8, z4 * z8 * z16, z4 * z8 * z16 * z32];
    terms.forEach(({ weight }, level) => {
      const expected = reached[level]! - (reached[level + 1] ?? 0);
      expect(Math.abs(weight - expected) < 1e-12, `level ${level}: ${weight}`);
    });
  });
});

t.test("gates at 0 or 1 leave the grid below the first closed one", async (t) => {
  const weights = (...z: PerGate<number>) => telescope(z).map(({ weight }) => weight);
  t.strictSame(weights(0, 1, 1, 1), [1, 0, 0, 0, 0]);
  t.strictSame(weights(1, 1, 0, 1), [0, 0, 1, 0, 0]);
  t.strictSame(weights(1, 1, 1, 1), [0, 0, 0, 0, 1]);
});

t.test("a weight is linear in each gate: its derivative is the whole difference", async (t) => {
  lawHolds(t, gates, (z) => {
    const at = (index: number, value: number) => telescope(z.with(index, value) as unknown as PerGate<number>);
    telescope(z).forEach(({ derivatives }, level) => {
      expect(derivatives.length === 4, `${derivatives.length} derivatives`);
      derivatives.forEach((derivative, i) => {
        const difference = at(i, 1)[level]!.weight - at(i, 0)[level]!.weight;
        expect(Math.abs(derivative - difference) < 1e-12, `level ${level}, gate ${i}: ${derivative}`);
      });
    });
  });
});
