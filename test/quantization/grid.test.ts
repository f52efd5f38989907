import fc from "fast-check";
import t from "tap";
import { codeLimits, encode, roundHalfEven, stepSize } from "../../src/quantization/grid.ts";
import { bitWidths, clipFactor, type GridBits, gatedWidths, storedBits } from "../../src/quantization/levels.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const range = fc.record({ xMax: fc.double({ min: 0.05, max: 20, noNaN: true }), signed: fc.boolean() });
const bits = fc.constantFrom<GridBits>(2, 3, 4, 8, 16);

t.test("halves go to the even number, everything else to the nearest", async (t) => {
  t.strictSame([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5].map(roundHalfEven), [-2, -2, -0, 0, 2, 2, 4]);
  lawHolds(t, fc.double({ min: -1e6, max: 1e6, noNaN: true }), (value) => {
    const rounded = roundHalfEven(value);
    expect(Number.isInteger(rounded) && Math.abs(rounded - value) <= 0.5, `${value} became ${rounded}`);
    expect(Math.abs(rounded - value) < 0.5 || rounded % 2 === 0, `${value} became ${rounded}`);
  });
});

t.test("the step of twice the bits is the step over 2^bits + 1", async (t) => {
  lawHolds(t, range, (range) => {
    for (const bits of [2, 4, 8, 16] as const) {
      const half = stepSize(bits, range) / (2 ** bits + 1);
      expect(Math.abs(stepSize((2 * bits) as 4 | 8 | 16 | 32, range) / half - 1) < 1e-12, `${2 * bits} bits`);
    }
    const width = range.signed ? 2 * range.xMax : range.xMax;
    expect(Math.abs(3 * stepSize(2, range) - width) < 1e-12 * width, "three steps of 2 bits fill the range");
  });
});

t.test("an unsigned grid has all codes, a signed one is symmetric", async (t) => {
  t.strictSame(codeLimits(2, false), [0, 3]);
  t.strictSame(codeLimits(8, false), [0, 255]);
  t.strictSame(codeLimits(2, true), [-1, 1]);
  t.strictSame(codeLimits(8, true), [-127, 127]);
});

t.test("codes are the nearest ones of the grid, its ends for what lies outside", async (t) => {
  const values = fc.array(fc.double({ min: -32, max: 32, noNaN: true }), { minLength: 1, maxLength: 20 });
  lawHolds(t, fc.record({ values, bits, range }), ({ values, bits, range }) => {
    const [lowest, highest] = codeLimits(bits, range.signed);
    const codes = encode(values, bits, range);
    expect(codes.length === values.length, `${codes.length} codes`);
    codes.forEach((code, i) => {
      const exact = values[i]! / stepSize(bits, range);
      expect(code >= lowest && code <= highest, `${code}`);
      if (exact >= lowest && exact <= highest) expect(Math.abs(code - exact) <= 0.5, `${exact} became ${code}`);
      else expect(code === (exact < lowest ? lowest : highest), `${exact} became ${code}`);
    });
  });
});

t.test("a range's end, clipped, rounds to the outermost code", async (t) => {
  lawHolds(t, range, (range) => {
    for (const bits of [2, 4, 8, 16] as const) {
      const [, highest] = codeLimits(bits, range.signed);
      const code = roundHalfEven((range.xMax * clipFactor) / stepSize(bits, range));
      expect(code === highest, `${bits} bits: ${code}`);
    }
  });
});

t.test("each level above the first has a gate; 3 bits are stored in 4", async (t) => {
  t.strictSame(gatedWidths, bitWidths.slice(1));
  t.strictSame(([2, 3, 4, 8, 16, 32] as const).map(storedBits), [2, 4, 4, 8, 16, 32]);
});
