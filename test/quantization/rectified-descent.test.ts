import fc from "fast-check";
import t from "tap";
import { descendRectifiedCodes, type RectifiedChannel } from "../../src/quantization/rectified-descent.ts";
import { random } from "../fixtures/engines.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const cases = fc.record({
  seed: fc.nat(1e6),
  rows: fc.integer({ min: 1, max: 12 }),
  inputs: fc.integer({ min: 1, max: 5 }),
  limit: fc.constantFrom(Number.POSITIVE_INFINITY, 1),
  step: fc.constantFrom(0.1, 0.5),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** Inputs as they come from a ReLU, half of them 0; wanted outputs of other weights. */
function channelOf({ seed, rows, inputs, limit }: Case): RectifiedChannel {
  const columns = random(seed, "x", [inputs, rows], 2).map((value) => Math.max(0, value));
  const targets = Float64Array.from(random(seed, "y", [rows], 1.5), (value) => Math.min(limit, Math.max(0, value)));
  return { columns, targets, bias: random(seed, "bias", [1], 0.5)[0]!, limit };
}

/** |relu(X·step·code + bias) - y|², row by row, the ReLU ending at the limit. */
function error({ columns, targets, bias, limit }: RectifiedChannel, codes: ArrayLike<number>, step: number): number {
  return targets.reduce((sum, target, row) => {
    let output = bias;
    for (let n = 0; n < codes.length; n++) output += step * codes[n]! * columns[n * targets.length + row]!;
    return sum + (Math.min(limit, Math.max(output, 0)) - target) ** 2;
  }, 0);
}

t.test("single changes lower the error behind the ReLU, within their bounds, until none helps", async (t) => {
  lawHolds(t, cases, (drawn) => {
    const channel = channelOf(drawn);
    const { inputs, step } = drawn;
    const bounds = { lowest: new Int32Array(inputs).fill(-3), highest: new Int32Array(inputs).fill(2) };
    const start = Int32Array.from(random(drawn.seed, "codes", [inputs], 2.4), Math.round);
    const codes = start.slice();
    const changes = descendRectifiedCodes(channel, codes, step, bounds);
    const before = error(channel, start, step);
    const after = error(channel, codes, step);
    expect(changes === 0 ? `${codes}` === `${start}` : after < before, `${changes} changes: ${after} after ${before}`);
    const moved = codes.reduce((sum, code, n) => sum + Math.abs(code - start[n]!), 0);
    expect(changes >= moved && (changes - moved) % 2 === 0, `${changes} changes from ${start} to ${codes}`);
    codes.forEach((code, n) => {
      expect(code >= -3 && code <= 2, `code ${n} is ${code}`);
      for (const by of [-1, 1]) {
        if (code + by < -3 || code + by > 2) continue;
        const changed = error(channel, codes.with(n, code + by), step);
        expect(changed >= after - 1e-9, `code ${n} could change by ${by}: ${changed}, has ${after}`);
      }
    });
  });
});

t.test("what is right already stays", async (t) => {
  const channel = { columns: Float32Array.of(1, 2), targets: Float64Array.of(0.5, 1), bias: 0, limit: 6 };
  const codes = Int32Array.of(1);
  t.equal(descendRectifiedCodes(channel, codes, 0.5, { lowest: [0], highest: [3] }), 0);
  t.strictSame([...codes], [1]);
});
