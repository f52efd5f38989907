import fc from "fast-check";
import t from "tap";
import { permutation, philox, subset, uniforms } from "../../src/core/random.ts";

type Words = readonly [number, number, number, number];
const hex = (words: readonly number[]): string => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");

// Known answers of philox4x32-10, as the authors' Random123 distribution publishes them.
const vectors: readonly { counter: Words; key: readonly [number, number]; answer: string }[] = [
  { counter: [0, 0, 0, 0], key: [0, 0], answer: "6627e8d5 e169c58d bc57ac4c 9b00dbd8" },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    answer: "408f276d 41c83b0e a20bc7c6 6d5451fd",
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    answer: "d16cfe09 94fdcceb 5001e420 24126ea1",
  },
];

t.test("philox gives the published answers", async (t) => {
  for (const { counter, key, answer } of vectors) t.equal(hex(philox(counter, key)), answer, hex(counter));
});

t.test("a draw depends on seed, stream and counter, and on nothing else", async (t) => {
  const key = { seed: 1, stream: "a", counter: 0 };
  const draw = (change: object) => uniforms({ ...key, ...change }, 8).join();
  t.equal(draw({}), draw({}), "the same twice");
  t.equal(uniforms(key, 3).join(), uniforms(key, 8).subarray(0, 3).join(), "whatever the number of draws");
  const others = [{ seed: 2 }, { seed: 2 ** 32 + 1 }, { stream: "b" }, { counter: 1 }, { counter: 2 ** 32 }].map(draw);
  t.equal(new Set([draw({}), ...others]).size, 6, "every part counts, its upper 32 bits too");
});

t.test("uniforms are uniform in the open interval", async (t) => {
  const count = 100_000;
  const bins = new Float64Array(100);
  let lowest = 1;
  let highest = 0;
  for (const value of uniforms({ seed: 3, stream: "gates", counter: 7 }, count)) {
    bins[Math.floor(value * 100)]! += 1;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  t.ok(lowest > 0 && highest < 1, "0 and 1 are never drawn");
  const expected = count / 100;
  const chiSquare = bins.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
  // Chi-square with 99 degrees of freedom: outside 52…163 with a probability below 1e-4.
  t.ok(chiSquare > 52 && chiSquare < 163, `chi-square ${chiSquare}`);
});

t.test("streams, counters and neighbouring draws are not correlated", async (t) => {
  const count = 20_000;
  const first = uniforms({ seed: 1, stream: "conv1", counter: 0 }, count + 1);
  const others = {
    stream: uniforms({ seed: 1, stream: "conv2", counter: 0 }, count),
    counter: uniforms({ seed: 1, stream: "conv1", counter: 1 }, count),
    seed: uniforms({ seed: 2, stream: "conv1", counter: 0 }, count),
    neighbour: first.subarray(1),
  };
  for (const [name, other] of Object.entries(others)) {
    let sum = 0;
    for (let index = 0; index < count; index++) sum += (first[index]! - 0.5) * (other[index]! - 0.5);
    // The correlation of independent draws has deviation 1/sqrt(count) = 0.007.
    const correlation = (12 * sum) / count;
    t.ok(Math.abs(correlation) < 0.03, `${name}: ${correlation}`);
  }
});

t.test("a permutation holds every index once", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.nat(), fc.nat(1000), fc.nat(500), (seed, counter, length) => {
        const order = permutation({ seed, stream: "order", counter }, length);
        return order.length === length && [...order].sort((a, b) => a - b).every((index, place) => index === place);
      }),
      { seed: 1 },
    ),
  );
});

t.test("every order of three is drawn equally often", async (t) => {
  const seen = new Map<string, number>();
  for (let counter = 0; counter < 6000; counter++) {
    const order = permutation({ seed: 1, stream: "three", counter }, 3).join("");
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  t.equal(seen.size, 6);
  // 1000 expected, with a deviation of 29.
  for (const [order, times] of seen) t.ok(Math.abs(times - 1000) < 150, `${order}: ${times}`);
});

t.test("a subset holds different numbers, each as likely as any other", async (t) => {
  const seen = new Float64Array(12);
  for (let counter = 0; counter < 3000; counter++) {
    const picked = subset({ seed: 1, stream: "batches", counter }, 12, 4);
    if (new Set(picked).size !== 4) t.fail(`${picked}`);
    for (const number of picked) seen[number]! += 1;
  }
  // Each is picked 1000 times of 3000; four standard deviations are 104.
  t.ok(
    seen.every((count) => Math.abs(count - 1000) < 104),
    `${seen}`,
  );
  t.same(subset({ seed: 1, stream: "a", counter: 0 }, 5, 5).toSorted(), Int32Array.of(0, 1, 2, 3, 4), "all of them");
});
