import fc from "fast-check";
import t from "tap";
import { channelBytes } from "../../src/quantization/channel-bytes.ts";
import { storedBits } from "../../src/quantization/levels.ts";
import { rowGroups } from "../../src/quantization/row-groups.ts";

const widths = fc.array(fc.constantFrom(0, 2, 3, 4, 8, 16), { minLength: 1, maxLength: 300 });

t.test("rows of one width lie together, and their order brings each back to its place", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(widths, (widths) => {
        const { groups, order } = rowGroups(widths);
        const joined = groups.flatMap(({ rows }) => rows);
        const places = order === null ? joined.map((_, place) => place) : [...order];
        return (
          places.every((place, channel) => joined[place] === channel) &&
          groups.every(({ bits, rows }) => rows.every((row) => bits === (widths[row] === 3 ? 4 : widths[row])))
        );
      }),
      { seed: 5 },
    ),
  );
});

t.test("rows that lie in runs need no order, whichever is first", async (t) => {
  t.equal(rowGroups([2, 2, 4, 8]).order, null);
  t.equal(rowGroups([8, 8, 2, 4, 3]).order, null);
  t.strictSame([...rowGroups([2, 8, 2]).order!], [0, 2, 1]);
});

t.test("equal widths take what a tensor of that width takes, and a step for each channel", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.constantFrom(2 as const, 3 as const, 4 as const, 8 as const, 16 as const),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 50 }),
        (bits, channels, fanIn) => {
          const { codes, steps, order } = channelBytes(new Uint8Array(channels).fill(bits), fanIn);
          return (
            codes === Math.ceil((storedBits(bits) * channels * fanIn) / 8) && steps === 4 * channels && order === 0
          );
        },
      ),
      { seed: 6 },
    ),
  );
});

t.test(
  "mixed rows: whole bytes for each width, a byte of order for each of 256 channels and two for more",
  async (t) => {
    t.strictSame(channelBytes([2, 8, 2], 9), { codes: 5 + 9, steps: 12, order: 3 });
    t.strictSame(channelBytes([0, 4, 0, 3], 3), { codes: 3, steps: 16, order: 4 }, "zeros take nothing, 3 bits take 4");
    const alternating = (channels: number) => Array.from({ length: channels }, (_, index) => (index % 2 === 0 ? 2 : 4));
    t.equal(channelBytes(alternating(256), 1).order, 256);
    t.equal(channelBytes(alternating(257), 1).order, 514);
    t.strictSame(channelBytes([2, 32], 9), { codes: 72, steps: 0, order: 0 }, "with 32 bits all is float32");
    t.throws(() => channelBytes([5], 1), /a row has 0, 2, 3, 4, 8 or 16 bits, got 5/);
  },
);
