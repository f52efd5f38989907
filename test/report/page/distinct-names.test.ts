import fc from "fast-check";
import t from "tap";
import { distinctNames } from "../../../src/report/page/distinct-names.ts";

t.test("names are cut in the middle, and what fits stays whole", async (t) => {
  t.strictSame(distinctNames(["conv1", "stage1.block1.conv1", "stage1.block1.conv2"], 16), [
    "conv1",
    "stage1.…k1.conv1",
    "stage1.…k1.conv2",
  ]);
  t.strictSame(distinctNames(["😀😀😀😀😀😀"], 6), ["😀😀😀😀😀😀"], "characters count, not their halves");
  t.strictSame(distinctNames(["abc😀😀😀😀def"], 6), ["ab…def"]);
});

t.test("names that differ where they would be cut are cut elsewhere, or numbered", async (t) => {
  t.strictSame(distinctNames(["aaaaaaaa1bbbbbbbbbbbb", "aaaaaaaa2bbbbbbbbbbbb"], 14), [
    "aaaaaaaa1…bbbb",
    "aaaaaaaa2…bbbb",
  ]);
  const same = "x".repeat(30);
  t.strictSame(distinctNames([`${same}a${same}`, `${same}b${same}`], 10), ["1 xxx…xxxx", "2 xxx…xxxx"]);
});

t.test("different names stay different, in at most so many characters", async (t) => {
  const names = fc.array(fc.string({ minLength: 0, maxLength: 60, unit: fc.constantFrom("a", ".", "1", "😀") }), {
    maxLength: 12,
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(names, fc.integer({ min: 8, max: 24 }), (names, length) => {
        const cut = distinctNames(names, length);
        return new Set(cut).size === new Set(names).size && cut.every((name) => [...name].length <= length);
      }),
      { seed: 3 },
    ),
  );
});
