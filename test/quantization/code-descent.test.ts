import fc from "fast-check";
import t from "tap";
import { descendCodes, fittedStep } from "../../src/quantization/code-descent.ts";
import { symmetricGridBy } from "../../src/quantization/scale-search.ts";
import { nearestCode } from "../../src/quantization/weight-grid.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";
import { channelOf, channelSize, energyOf, errorOf, sumsOf } from "../fixtures/least-squares-channel.ts";

t.test("single changes of codes only lower the error, within their bounds, until none helps", async (t) => {
  lawHolds(t, fc.record({ size: channelSize, narrow: fc.boolean() }), ({ size, narrow }) => {
    const data = channelOf(size);
    const sums = sumsOf(data);
    const grid = symmetricGridBy("max", size.bits, data.w);
    const { step } = grid;
    const codes = Int32Array.from(data.w, (weight) => nearestCode(weight, grid));
    const outermost = grid.highest;
    const lowest = codes.map((code) => (narrow ? code : -outermost));
    const highest = codes.map((code) => (narrow ? Math.min(code + 1, outermost) : outermost));
    const before = errorOf(data, codes, step);
    const changes = descendCodes(sums, { codes }, step, { lowest, highest });
    const slack = 1e-9 * energyOf(data.y);
    const after = errorOf(data, codes, step);
    expect(changes === 0 ? after === before : after < before + slack, `${after} after ${before}`);
    codes.forEach((code, n) => {
      expect(code >= lowest[n]! && code <= highest[n]!, `code ${n} is ${code}`);
      for (const by of [-1, 1]) {
        if (code + by < lowest[n]! || code + by > highest[n]!) continue;
        const changed = codes.with(n, code + by);
        expect(errorOf(data, changed, step) >= after - slack, `code ${n} could change by ${by}`);
      }
    });
  });
});

t.test("the fitted step is the best one for its codes", async (t) => {
  lawHolds(t, fc.record({ size: channelSize, by: fc.constantFrom(0.9, 0.99, 1.01, 1.1) }), ({ size, by }) => {
    const data = channelOf(size);
    const grid = symmetricGridBy("max", size.bits, data.w);
    const codes = Int32Array.from(data.w, (weight) => nearestCode(weight, grid));
    const step = fittedStep(sumsOf(data), { codes }, 0);
    expect(errorOf(data, codes, step) <= errorOf(data, codes, step * by) + 1e-9 * energyOf(data.y), `${step}`);
    const turned = codes.map((code) => -code);
    expect(step === 0 || fittedStep(sumsOf(data), { codes: turned }, 7) === 7, "a step that is not positive");
    expect(fittedStep(sumsOf(data), { codes: codes.map(() => 0) }, 7) === 7, "codes that are all 0");
  });
});

t.test("what cannot be improved stays as it is", async (t) => {
  const exact = { products: Float64Array.of(2, 1, 1, 3), cross: Float64Array.of(2, 1), energy: 2 };
  const codes = Int32Array.of(1, 0);
  t.equal(descendCodes(exact, { codes }, 1, { lowest: [-1, -1], highest: [1, 1] }), 0);
  t.strictSame([...codes], [1, 0]);
});

t.test("independent inputs go to their nearest codes, or to the bound before", async (t) => {
  const sums = { products: Float64Array.of(1, 0, 0, 1), cross: Float64Array.of(1.2, -1.2), energy: 2.88 };
  const descend = (lowest: readonly number[], highest: readonly number[]) => {
    const codes = Int32Array.of(0, 0);
    return { changes: descendCodes(sums, { codes }, 0.5, { lowest, highest }), codes: [...codes] };
  };
  t.strictSame(descend([-5, -5], [5, 5]), { changes: 4, codes: [2, -2] });
  t.strictSame(descend([-5, -1], [1, 5]), { changes: 2, codes: [1, -1] });
});

t.test("the fitted step is <y, X code>/<X code, X code>", async (t) => {
  const sums = { products: Float64Array.of(1, 0, 0, 1), cross: Float64Array.of(2, 4), energy: 20 };
  t.equal(fittedStep(sums, { codes: Int32Array.of(1, 2) }, 7), 2);
  t.equal(fittedStep(sums, { codes: Int32Array.of(-1, -2) }, 7), 7);
  t.equal(fittedStep(sums, { codes: Int32Array.of(0, 0) }, 7), 7);
});
