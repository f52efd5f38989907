import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { publishedResults } from "../../src/report/comparison/published.ts";
import { bytes, duration, percent } from "../../src/report/format.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { readRecord, recordFile } from "../../src/runs/record-file.ts";

const [begin, end] = ["<!-- results -->\n", "<!-- /results -->\n"];

/** The README with the table of the published runs made anew, between its two marks. */
export function withResults(readme: string): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md lacks ${begin.trim()} or, behind it, ${end.trim()}`);
  return readme.slice(0, from + begin.length) + resultsTable(publishedRecords()) + readme.slice(to);
}

/** Runs of one's own lie beside them, but git knows only those. */
const publishedRecords = (): RunRecord[] =>
  execFileSync("git", ["ls-files", "--", `reports/*/${recordFile}`], { encoding: "utf8" })
    .split("\n")
    .filter((path) => path !== "")
    .map((path) => readRecord(dirname(path)))
    .filter(({ result }) => result !== null);

/** A row for each run, by data set and network, the cheapest network first; published results stand among them. */
function resultsTable(records: readonly RunRecord[]): string {
  const tasks = new Map<string, RunRecord[]>();
  for (const record of records) {
    const task = `${record.data.name} ${record.network.name}`;
    tasks.set(task, [...(tasks.get(task) ?? []), record]);
  }
  const rows = [...tasks].sort().flatMap(([task, records]) => {
    const [data, network] = task.split(" ") as [string, string];
    const ours = records.map((record) => ({ relativeBops: record.result!.relativeBops, row: rowOf(record) }));
    const theirs = publishedResults(data, network).map(({ label, source, relativeBops, top1 }) => ({
      relativeBops,
      row: [`${label}: ${source}`, network, percent(top1), percent(relativeBops), "", ""],
    }));
    return [...ours, ...theirs].sort((a, b) => a.relativeBops - b.relativeBops).map(({ row }) => row);
  });
  const head = ["run", "network", "top-1", "relative bit operations", "weights", "time"];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function rowOf({ name, data, network, result, times, seed }: RunRecord): string[] {
  const { top1, relativeBops, bytes: sizes } = result!;
  const epochs = times.epochSeconds.length;
  const how = epochs === 0 ? "no training" : `${epochs} epochs`;
  return [
    `[${name}](configs/${name}.yaml), ${how}, seed ${seed}`,
    `${network.name} on ${data.name}`,
    percent(top1),
    percent(relativeBops, relativeBops < 10 ? 3 : 0),
    sizes.packed === sizes.fp32 ? bytes(sizes.fp32) : `${bytes(sizes.packed)} of ${bytes(sizes.fp32)}`,
    duration(times.seconds),
  ];
}
