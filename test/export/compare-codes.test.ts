import t from "tap";
import { CodeComparison } from "../../src/export/compare-codes.ts";
import type { FrozenQuantizer } from "../../src/export/frozen-network.ts";

const quantizer = (bits: FrozenQuantizer["bits"]): FrozenQuantizer => ({
  kind: "quantizer",
  id: "quantizer",
  inputs: ["sum"],
  outputShape: [1],
  bits,
  signed: false,
  // The step is 1.
  xMax: 2 ** bits - 1,
  kept: [0],
  channels: 1,
});

/** `elements` zeros and one value: what runtime and trainer make of it, and what it is, all in steps. */
function compare({
  bits = 8 as FrozenQuantizer["bits"],
  runtime = 3,
  reference = 2,
  exact = 2.5,
  magnitude = 0,
  times = 1,
  elements = 100_000,
  /** Steps between the values that differ. */
  spread = 0,
  floatError = 2 ** -23,
}) {
  const comparison = new CodeComparison("layer", quantizer(bits), floatError);
  const values = (value: number) => new Float32Array(elements).fill(value, 0, times);
  comparison.add({
    runtime: values(runtime),
    reference: values(reference),
    exact: (index) => exact + spread * index,
    magnitude: () => magnitude,
  });
  return { agrees: comparison.agrees, ...comparison.result };
}

t.test("a code may be one off within 1e-4 steps of a rounding boundary", async (t) => {
  t.match(compare({ exact: 2.49995 }), { agrees: true, largestDifference: 1 });
  t.equal(compare({ exact: 2.49995 }).equalCodes.toFixed(3), "99.999");
  t.match(compare({ exact: 2.4998 }), { agrees: false, largestDifference: 1 });
  t.ok(Math.abs(compare({ exact: 2.4998 }).boundaryDistance! - 2e-4) < 1e-9);
});

t.test("where the trainer's kernels are wrong and the runtime is right, nothing differs", async (t) => {
  t.match(compare({ exact: 2.5003 }), { agrees: true, equalCodes: 100, boundaryDistance: 0 });
});

t.test("two codes off is too far, and not a number is farther", async (t) => {
  t.match(compare({ runtime: 4, exact: 2.4999999 }), { agrees: false, largestDifference: 2 });
  t.match(compare({ runtime: Number.NaN }), { agrees: false, largestDifference: Number.MAX_SAFE_INTEGER });
});

t.test("at most 0.01 % of the values may differ, or one of few; of 16 bits more", async (t) => {
  const close = { exact: 2.49995, spread: 1e-6 };
  t.equal(compare({ ...close, times: 10 }).agrees, true);
  t.equal(compare({ ...close, times: 11 }).agrees, false);
  t.equal(compare({ ...close, elements: 4 }).agrees, true);
  t.equal(compare({ ...close, elements: 4, times: 2 }).agrees, false);
  t.equal(compare({ ...close, times: 11, bits: 16 }).agrees, true);
});

t.test("a value that repeats counts once", async (t) => {
  t.match(compare({ exact: 2.49999, times: 5000 }), { agrees: true, equalCodes: 95 });
});

t.test("values on a boundary, as close as float32 can tell, may be any", async (t) => {
  const tied = { exact: 2.49991, spread: 1e-8, times: 5000 };
  t.equal(compare({ ...tied, magnitude: 1e-4 * 2 ** 23 }).agrees, true);
  t.equal(compare({ ...tied, magnitude: 1e-5 * 2 ** 23 }).agrees, false);
});

t.test("a value beyond the grid is as far off as the code's boundary", async (t) => {
  const beyond = { exact: 300.49999, reference: 255 };
  t.match(compare({ ...beyond, runtime: 255 }), { agrees: true, equalCodes: 100 });
  const wrong = compare({ ...beyond, runtime: 254 });
  t.equal(wrong.agrees, false);
  t.equal(wrong.boundaryDistance!.toFixed(3), "46.000");
});

t.test("16-bit codes may be as far apart as float32 can be", async (t) => {
  const far = { bits: 16 as const, runtime: 5, reference: 2, exact: 2.4 };
  t.match(compare({ ...far, magnitude: 2.2 * 2 ** 23 }), { agrees: true, largestDifference: 3 });
  t.equal(compare({ ...far, magnitude: 2 * 2 ** 23 }).agrees, false);
});

t.test("large terms widen the boundary by what float32 can tell of them", async (t) => {
  for (const bits of [8, 16] as const) {
    t.equal(compare({ bits, exact: 2.49, magnitude: 0.011 * 2 ** 23 }).agrees, true);
    t.equal(compare({ bits, exact: 2.49, magnitude: 0.009 * 2 ** 23 }).agrees, false);
    t.equal(compare({ bits, exact: 2.49, magnitude: 0.009 * 2 ** 23, floatError: 2 ** -22 }).agrees, true);
  }
});

t.test("values without a grid may be apart by 1e-4 of the largest", async (t) => {
  const float = { bits: 32 as const, reference: 1, elements: 10 };
  t.equal(compare({ ...float, runtime: 1.00009 }).equalCodes, 100);
  t.equal(compare({ ...float, runtime: 1.00015 }).agrees, true, "one of few");
  t.equal(compare({ ...float, runtime: 1.00015, times: 2 }).agrees, false);
  t.equal(compare({ ...float, runtime: 1.00025 }).agrees, false);
});

t.test("codes are computed exactly until it is settled that they disagree, not all of them", async (t) => {
  const comparison = new CodeComparison("layer", quantizer(8), 2 ** -23);
  const elements = 1_000_000;
  let computed = 0;
  const exact = () => {
    computed++;
    return 2;
  };
  const values = (value: number) => new Float32Array(elements).fill(value);
  comparison.add({ runtime: values(7), reference: values(2), exact, magnitude: () => 0 });
  t.ok(computed <= 1000, `${computed}`);
  t.match(comparison.result, { elements: computed, equalCodes: 0, largestDifference: 5 });
  t.match(comparison, { settled: true, agrees: false, unexplained: computed });
});

t.test("another number of values is a difference", async (t) => {
  const comparison = new CodeComparison("layer", quantizer(8), 2 ** -23);
  comparison.add({ runtime: new Float32Array(2), reference: new Float32Array(3), exact: () => 0, magnitude: () => 0 });
  t.equal(comparison.agrees, false);
});
