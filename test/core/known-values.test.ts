import t from "tap";
import { at, first, last } from "../../src/core/elements.ts";
import { lookup } from "../../src/core/lookup.ts";
import { tuple } from "../../src/core/tuple.ts";

t.test("elements are counted from either end, and one that is missing is named", async (t) => {
  const list = [5, 6, 7];
  t.strictSame([first(list), at(list, 1), last(list), at(list, -2), at(list, -3)], [5, 6, 7, 6, 5]);
  t.equal(at(Float32Array.of(0.5), 0), 0.5);
  t.equal(at([undefined], 0), undefined, "an element may be undefined");
  for (const index of [3, -4])
    t.throws(() => at(list, index), { name: "RangeError", message: `there is no element ${index} among 3` });
  for (const end of [first, last]) t.throws(() => end([]), { name: "RangeError" });
});

t.test("a key that a map does not have is named", async (t) => {
  const map = new Map<string, number | undefined>([
    ["conv1", 0],
    ["conv2", undefined],
  ]);
  t.equal(lookup(map, "conv1"), 0);
  t.equal(lookup(map, "conv2"), undefined, "a value may be undefined");
  t.throws(() => lookup(map, "conv3"), { message: "there is nothing for conv3" });
});

t.test("a list of another length is no tuple of this one", async (t) => {
  const list = [1, 2];
  t.equal(tuple(list, 2), list);
  t.throws(() => tuple(list, 3), { name: "RangeError", message: "expected 3 elements, there are 2" });
});
