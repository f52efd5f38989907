import fc from "fast-check";
import t from "tap";
import { compareCells } from "../../../src/report/browser/order.ts";

const sorted = (cells: readonly string[], how: Parameters<typeof compareCells>[2]) =>
  [...cells].sort((one, other) => compareCells(one, other, how));

t.test("numbers sort by value, text with its numbers by value too", async (t) => {
  t.strictSame(sorted(["800", "512", "1e3"], { numeric: true, ascending: true }), ["512", "800", "1e3"]);
  t.strictSame(sorted(["800", "512", "1e3"], { numeric: true, ascending: false }), ["1e3", "800", "512"]);
  t.strictSame(sorted(["fc10", "conv1", "fc2"], { numeric: false, ascending: true }), ["conv1", "fc2", "fc10"]);
});

t.test("cells without a value come last in both directions", async (t) => {
  const cells = fc.array(fc.option(fc.integer().map(String), { nil: "" }));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(cells, fc.boolean(), fc.boolean(), (cells, numeric, ascending) => {
        const order = sorted(cells, { numeric, ascending });
        const first = order.indexOf("");
        return first === -1 || order.slice(first).every((cell) => cell === "");
      }),
      { seed: 1 },
    ),
  );
});
