import t from "tap";
import { floatToHalf, halfToFloat } from "../../src/core/half-precision.ts";

t.test("every half-precision number is its own nearest one", (t) => {
  const wrong: number[] = [];
  for (let bits = 0; bits < 2 ** 16; bits++) {
    const value = halfToFloat(bits);
    const back = floatToHalf(value);
    if (Number.isNaN(value) ? !Number.isNaN(halfToFloat(back)) : back !== bits) wrong.push(bits);
  }
  t.strictSame(wrong, []);
  t.end();
});

t.test("what lies between two becomes the nearer, half way the even one", (t) => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [below, above] = [halfToFloat(bits), halfToFloat(bits + 1)];
    const middle = (below + above) / 2;
    const nudge = (above - below) / 1024;
    const found = [middle - nudge, middle, middle + nudge].map(floatToHalf);
    const expected = [bits, bits % 2 === 0 ? bits : bits + 1, bits + 1];
    if (found.join() !== expected.join()) t.fail(`${middle}: ${found}, expected ${expected}`);
  }
  t.strictSame([65519, 65520, -1e9, Number.POSITIVE_INFINITY].map(floatToHalf), [0x7bff, 0x7c00, 0xfc00, 0x7c00]);
  t.end();
});
