import t from "tap";
import { granularities, meanWeightBits } from "../../../src/report/comparison/granularity.ts";
import { renderComparison } from "../../../src/report/comparison/render-comparison.ts";
import type { RunRecord } from "../../../src/runs/record.ts";
import { comparedRecords } from "../../fixtures/compared-records.ts";

/** Runs that learn a width for each of these, beside one in float32 and one of given widths. */
function recordsOf(granularities: readonly ("tensor" | "channel" | { group: number })[]): readonly RunRecord[] {
  const [learned, , , , float, fixed] = comparedRecords();
  const runs = granularities.map((granularity, index): RunRecord => {
    const { method } = learned!.config;
    if (method.name !== "bayesian-bits") throw new Error(`expected bayesian-bits, got ${method.name}`);
    const layers = learned!.result!.layers.map((layer) => ({
      ...layer,
      ...{ weightBits: 8 as const, keptOutputs: 2, outputs: 4, channelBits: [8, 2, 0, 0] as (0 | 2 | 8)[] },
    }));
    return {
      ...learned!,
      name: `run-${index}`,
      config: { ...learned!.config, method: { ...method, granularity } },
      result: { ...learned!.result!, ...(granularity !== "tensor" && { layers }) },
    };
  });
  return [...runs, float!, fixed!];
}

const mixed = recordsOf(["tensor", { group: 8 }, "channel"]);

const withoutScripts = (page: string): string => page.replace(/<script[\s\S]*?<\/script>/g, "");

t.test("runs that differ in what learns a width are told apart in table, legend, marks and controls", async (t) => {
  const page = renderComparison(mixed);
  const rows = /id="run-table"[\s\S]*?<\/table>/.exec(page)![0];
  for (const name of ["tensor", "8 channels", "channel"]) {
    t.match(rows, `<td data-value="${name}">${name}</td>`);
    t.match(page, `</svg>bayesian-bits, by ${name}</li>`);
  }
  t.match(rows, /Mean weight bits[\s\S]*<td class="number" data-value="5">5<\/td>/, "8 and 2, without the pruned ones");
  t.match(page, "</svg>fixed</li>", "a method that learns no widths");
  const { fields } = JSON.parse(/id="filters-data">([^<]*)</.exec(page)![1]!);
  t.strictSame(fields.find(({ name }: { name: string }) => name === "Granularity")?.options, [
    "8 channels",
    "channel",
    "tensor",
  ]);
  const { marks } = JSON.parse(/id="front-1-bops-data">([^<]*)</.exec(page)![1]!);
  t.strictSame(marks[1].lines.slice(-2), [
    ["granularity", "8 channels"],
    ["mean bits of weights", "5"],
  ]);
});

t.test("the finer, the less of a mark is filled", async (t) => {
  const records = recordsOf(["channel", { group: 4 }, "tensor", { group: 16 }]);
  const of = granularities(records);
  t.strictSame(
    records.map((record) => of(record)?.filled ?? null),
    [0, 1 / 3, 1, 2 / 3, null, null],
  );
  const outlined = (page: string) => page.match(/fill="var\(--paper\)" stroke="var\(--series-1\)"/g)?.length ?? 0;
  // In two charts of two widths each, and in their keys.
  t.equal(outlined(renderComparison(mixed)), 2 * (2 * 2 + 2), "groups and channels, none of tensors");
});

t.test("runs that learn alike are shown as ever", async (t) => {
  for (const granularity of ["tensor", "channel"] as const) {
    const page = withoutScripts(renderComparison(recordsOf([granularity])));
    for (const text of ["Granularity", "Mean weight bits", "bayesian-bits, by"]) t.notOk(page.includes(text), text);
    t.match(page, "</svg>bayesian-bits</li>");
  }
});

t.test("the mean over layers is by the parameters that are left", async (t) => {
  const { result } = mixed[0]!;
  const [layer] = result!.layers;
  const layers = [
    { ...layer!, parameters: 300, weightBits: 2 as const },
    { ...layer!, parameters: 100, weightBits: 8 as const, channelBits: [8, 4, 0] as (0 | 4 | 8)[] },
  ];
  t.equal(meanWeightBits({ ...result!, layers, parameters: { kept: 400, of: 400 } }), (300 * 2 + 100 * 6) / 400);
  t.equal(meanWeightBits({ ...result!, layers: [], parameters: { kept: 0, of: 400 } }), 0);
});

t.test("the picture of bits has means of channels, and tells between which widths they lie", async (t) => {
  const page = renderComparison(mixed);
  const { marks } = JSON.parse(/id="bits-1-data">([^<]*)</.exec(page)![1]!);
  t.ok(marks.some(({ lines }: { lines: [string, string][] }) => lines[0]![1] === "5 bits, 2–8 by channel"));
  t.match(/id="bits-1-table"[\s\S]*?<\/table>/.exec(page)![0], 'data-value="5 / 8"');
});
