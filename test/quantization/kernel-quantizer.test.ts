import fc from "fast-check";
import t from "tap";
import { quantizeKernel } from "../../src/quantization/kernel-quantizer.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const weight = fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround);
const kernels = fc.array(weight, { minLength: 1, maxLength: 40 }).map((values) => Float32Array.from(values));

const errorOf = (kernel: Float32Array, values: Float32Array) =>
  kernel.reduce((sum, weight, index) => sum + (weight - values[index]!) ** 2, 0);

t.test("a kernel lies on its own symmetric grid, and more bits harm no more", async (t) => {
  lawHolds(t, kernels, (kernel) => {
    let before = Number.POSITIVE_INFINITY;
    for (const bits of [2, 3, 4, 6, 8]) {
      const { values, step } = quantizeKernel(kernel, bits);
      const error = errorOf(kernel, values);
      values.forEach((value, index) => {
        const code = step === 0 ? 0 : Math.round(value / step);
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
  const kernel = new Float32Array(100).fill(0.3).with(0, 1);
  t.ok(errorOf(kernel, quantizeKernel(kernel, 2).values) < 99 * 0.3 * 0.3, "or all but one would be 0");
});

t.test("1 bit is a sign and the mean magnitude, 0 bits are zeros", async (t) => {
  const kernel = Float32Array.of(-1, 0.5, 0.75);
  t.strictSame([...quantizeKernel(kernel, 1).values], [-0.75, 0.75, 0.75]);
  t.strictSame([...quantizeKernel(kernel, 0).values], [0, 0, 0]);
  t.strictSame([...quantizeKernel(new Float32Array(2), 8).values], [0, 0]);
});
