import fc from "fast-check";
import t from "tap";
import { quantizeKernel } from "../../src/quantization/kernel-quantizer.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const weight = fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround);
const kernels = fc.array(weight, { minLength: 1, maxLength: 40 }).map((values) => Float32Array.from(values));

t.test("a kernel lies on its own symmetric grid, and more bits harm no more", async (t) => {
  lawHolds(t, kernels, (kernel) => {
    let before = Number.POSITIVE_INFINITY;
    for (const bits of [2, 3, 4, 6, 8]) {
      const { values, step, error } = quantizeKernel(kernel, bits);
      values.forEach((value, index) => {
        const code = Math.round(value / step);
        expect(Math.abs(value - step * code) <= 1e-6, `${value} is no code of ${step}`);
        expect(Math.abs(code) <= 2 ** (bits - 1) - 1, `code ${code} of ${bits} bits`);
        expect(value * kernel[index]! >= 0, "signs stay");
      });
      // Steps are tried one per cent apart.
      expect(error <= before * 1.1 + 1e-9, `${error} with ${bits} bits, ${before} with fewer`);
      before = error;
    }
  });
});

t.test("the step is better than that of the largest weight, where few weights are large", async (t) => {
  const kernel = new Float32Array(100).fill(0.1).with(0, 1);
  const { error } = quantizeKernel(kernel, 2);
  t.ok(error < 99 * 0.01, "or all but one would be 0");
});

t.test("1 bit is a sign and the mean magnitude, 0 bits are zeros", async (t) => {
  const kernel = Float32Array.of(-1, 0.5, 0.75);
  t.strictSame([...quantizeKernel(kernel, 1).values], [-0.75, 0.75, 0.75]);
  t.strictSame([...quantizeKernel(kernel, 0).values], [0, 0, 0]);
  t.equal(quantizeKernel(kernel, 0).error, 1 + 0.25 + 0.5625);
  t.strictSame([...quantizeKernel(new Float32Array(2), 8).values], [0, 0]);
});
