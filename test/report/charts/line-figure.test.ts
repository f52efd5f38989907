import fc from "fast-check";
import t from "tap";
import { logarithmicTicks } from "../../../src/report/charts/axis.ts";
import { lineFigure } from "../../../src/report/charts/line-figure.ts";

/** Labels of the vertical axis: texts that end left of the curves. */
function verticalLabels(values: readonly number[]): readonly string[] {
  const page = String(
    lineFigure({
      ...{ id: "x", title: "x", unit: "", category: "epoch", logarithmic: true },
      categories: values.map((_, index) => `e${index}`),
      series: [{ name: "x", values }],
    }),
  );
  const [, wide = ""] = /<svg class="wide"([\s\S]*?)<\/svg>/.exec(page) ?? [];
  return [...wide.matchAll(/<text[^>]*>([^<]*)<\/text>/g)]
    .map(([, text = ""]) => text)
    .filter((text) => !/^e/.test(text));
}

t.test("a logarithmic axis has at least three labels, whatever its values span", async (t) => {
  for (const values of [
    [0.21, 6.4],
    [1.4, 99.9],
    [0.31, 0.44],
    [1.01, 1.02],
    [3e-5, 0.04],
    [55, 95],
  ]) {
    const labels = verticalLabels(values);
    t.ok(labels.length >= 3, `${values.join("–")}: ${labels.join(" ")}`);
  }
  t.strictSame(verticalLabels([1.4, 99.9]), ["1", "2", "5", "10", "20", "50", "100"]);
});

t.test("labels of a logarithmic axis lie between its ends, each once", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1e4, noNaN: true }),
        fc.double({ min: 1.05, max: 1e5, noNaN: true }),
        (least, span) => {
          const ticks = logarithmicTicks([least, least * span]);
          return (
            ticks.length >= 3 &&
            new Set(ticks).size === ticks.length &&
            ticks.every(
              (tick, index) =>
                tick >= least * 0.999 && tick <= least * span * 1.001 && (index === 0 || tick > ticks[index - 1]!),
            )
          );
        },
      ),
      { seed: 5 },
    ),
  );
});
