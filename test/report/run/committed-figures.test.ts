import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import t from "tap";
import { publishedRuns } from "../../../scripts/results/published.ts";
import { bitWidthSection } from "../../../src/report/run/sections/bit-widths-section.ts";
import { headline } from "../../../src/report/run/sections/headline-section.ts";
import { viewRecord } from "../../../src/runner/run-view.ts";
import type { RunRecord } from "../../../src/runs/record.ts";
import { readRecord } from "../../../src/runs/record-file.ts";

const published = publishedRuns();

/** The texts of a row's cells. */
const cellsOf = (row: string): readonly string[] =>
  [...row.matchAll(/<t[hd][^>]*>([\s\S]*?)<\/t[hd]>/g)].map(([, cell = ""]) =>
    cell
      .replace(/<(svg|small)[\s\S]*?<\/\1>|<[^>]*>/g, "")
      .replaceAll(",", "")
      .trim(),
  );

/** The rows of a table, those that sum up others left out, as the texts of a row's first cell and of that in a column. */
function rowsOf(page: string, id: string, column: string): readonly (readonly [string, string])[] {
  const [, head = "", body = ""] =
    new RegExp(`id="${id}"[\\s\\S]*?<thead>([\\s\\S]*?)</thead>\\s*<tbody>([\\s\\S]*?)</tbody>`).exec(page) ?? [];
  const at = cellsOf(head).indexOf(column);
  return [...body.matchAll(/<tr(?! class="group")[^>]*>([\s\S]*?)<\/tr>/g)].map(([, row = ""]) => {
    const cells = cellsOf(row);
    return [cells[0]!, cells[at]!];
  });
}

/** Kept channels of each layer in the graph of the network, from what it tells of its boxes. */
function channelsInGraph(page: string): ReadonlyMap<string, readonly [kept: number, of: number]> {
  const [, summary = ""] = /aria-label="The network as a graph\. ([^"]*)\."/.exec(page) ?? [];
  return new Map(
    summary
      .replaceAll(",", "")
      .split("; ")
      .flatMap((box) => {
        const [, name, kept, of] = /^(\S+) weight .*? (\d+)(?: of (\d+))? channels/.exec(box) ?? [];
        return name === undefined ? [] : [[name, [Number(kept), Number(of ?? kept)]] as const];
      }),
  );
}

/** Codes in place of a table are fewer parameters. */
const isWhole = ({ result }: RunRecord): boolean =>
  result!.coded === undefined &&
  result!.layers.every(
    ({ keptOutputs, outputs, keptInputs, inputs }) => keptOutputs === outputs && keptInputs === inputs,
  );

t.test("where nothing was pruned all parameters are kept, in every committed record", async (t) => {
  const whole = published.filter(({ record }) => isWhole(record));
  t.ok(whole.some(({ record }) => record.network.name === "resnet20"));
  for (const { record } of whole) {
    const { parameters, bytes } = record.result!;
    t.equal(parameters.kept, parameters.of, record.name);
    t.ok(bytes.packed <= bytes.fp32, record.name);
  }
});

t.test("parameters and bytes of every committed record are those of its layers", async (t) => {
  t.ok(published.length > 40, `${published.length} records`);
  for (const { record } of published) {
    const { network, result } = record;
    const { parameters, bytes, layers, coded } = result!;
    const sum = (values: readonly { readonly parameters: number }[]) =>
      values.reduce((total, { parameters }) => total + parameters, 0);
    // Of embeddings that are codes, codewords are what is left of a table.
    const tables = (coded ?? []).reduce((total, { fp32Bytes }) => total + fp32Bytes / 4, 0);
    const codewords = (coded ?? []).reduce((total, { valueBytes }) => total + valueBytes / 4, 0);
    const codeBytes = (coded ?? []).reduce((total, { codeBytes }) => total + codeBytes, 0);
    const whole = sum(network.layers) + tables;
    t.strictSame(
      { kept: parameters.kept, of: parameters.of, network: network.parameters, fp32: bytes.fp32 },
      { kept: sum(layers) + codewords, of: whole, network: whole, fp32: 4 * whole },
      record.name,
    );
    t.equal(
      bytes.packed,
      layers.reduce((total, layer) => total + layer.bytes, codeBytes + 4 * codewords),
      record.name,
    );
  }
});

t.test("channels in the graph, in the tables and in the record are the same, in every committed record", async (t) => {
  for (const { record } of published) {
    const result = record.result!;
    const kept = new Map(result.layers.map(({ name, keptOutputs, outputs }) => [name, [keptOutputs, outputs]]));
    const widths = String(bitWidthSection(record).body);
    t.strictSame(channelsInGraph(widths), kept, `${record.name}: graph`);
    const numbers = (text = "") => text.split(" of ").map(Number);
    // What is no layer, as an addition, keeps none of its own.
    const inTable = rowsOf(widths, "layer-table", "Outputs kept").filter(([, text]) => text !== "–");
    t.strictSame(new Map(inTable.map(([name, text]) => [name, numbers(text)])), kept, `${record.name}: table`);
    const weights = new Map(record.network.layers.map(({ name, weightQuantizer }) => [weightQuantizer, name]));
    // As `show` and `diff` have them.
    for (const { tensor, kept: left } of viewRecord("", record).tensors)
      if (left !== null) t.equal(left, kept.get(weights.get(tensor)!)![0], `${record.name}: ${tensor}, shown`);
    const { channels, parameters } = result;
    const prunable = record.quantizers.filter(({ channels }) => channels !== null).map(({ id }) => weights.get(id)!);
    const total = (at: 0 | 1) => prunable.reduce((sum, name) => sum + kept.get(name)![at]!, 0);
    t.strictSame(channels, { kept: total(0), of: total(1) }, `${record.name}: channels`);
    const shown = String(headline(record)).replaceAll(",", "");
    t.match(shown, `>${parameters.kept} of ${parameters.of}<`, record.name);
  }
});

t.test("committed pages have the figures of their records", async (t) => {
  const listed = execFileSync("git", ["ls-files", "--", "reports/*report.html"], { encoding: "utf8" });
  const paths = listed.trim().split("\n");
  t.ok(paths.length > 8, `${paths.length} pages`);
  for (const path of paths) {
    const { result } = readRecord(dirname(path));
    const page = readFileSync(path, "utf8");
    const { parameters, layers } = result!;
    t.ok(page.replaceAll(",", "").includes(`>${parameters.kept} of ${parameters.of}<`), path);
    const kept = new Map(layers.map(({ name, keptOutputs, outputs }) => [name, [keptOutputs, outputs]]));
    t.strictSame(channelsInGraph(page), kept, path);
  }
});
