import fc from "fast-check";
import t from "tap";
import { actionOf, roundedAction, widthOf } from "../../src/quantization/width-actions.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const widths = fc
  .uniqueArray(fc.integer({ min: 0, max: 16 }), { minLength: 1 })
  .map((all) => all.sort((a, b) => a - b));
const action = fc.double({ min: 0, max: 1, noNaN: true });

t.test("every width has an interval of the same length, in order, and nothing lies outside", async (t) => {
  lawHolds(t, fc.tuple(widths, action, action), ([widths, one, other]) => {
    const [low, high] = one < other ? [one, other] : [other, one];
    expect(widthOf(low, widths) <= widthOf(high, widths), "the order is kept");
    expect(widths.includes(widthOf(one, widths)), "one of them");
    const place = Math.min(widths.length - 1, Math.floor(one * widths.length));
    // On a boundary the even one may have it.
    const isBoundary = Math.abs(one * widths.length - Math.round(one * widths.length)) < 1e-9;
    expect(isBoundary || widthOf(one, widths) === widths[place], "intervals are equal");
    for (const width of widths) expect(widthOf(actionOf(width, widths), widths) === width, "middles stand for it");
  });
});

t.test("of whole numbers it is HAQ's map, but for its ends", async (t) => {
  const range = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 8 }));
  lawHolds(t, fc.tuple(range, action), ([[lowest, more], action]) => {
    const all = Array.from({ length: more + 1 }, (_, index) => lowest + index);
    const rounded = roundedAction(action, lowest, lowest + more);
    const clamped = Math.min(lowest + more, Math.max(lowest, rounded));
    const product = action * all.length;
    if (Math.abs(product - Math.round(product)) < 1e-9) return;
    expect(widthOf(action, all) === clamped, `${widthOf(action, all)}, not ${clamped}`);
  });
  t.equal(roundedAction(0, 1, 8), 0, "which rounds 0.5 to 0");
});
