import { publishedRuns } from "./published.ts";
import { roundingTable } from "./rounding-table.ts";
import { trainingTable } from "./training-table.ts";
import { unfinishedTable } from "./unfinished-table.ts";

/** The README with the tables of the published runs made anew, each between its two marks. */
export function withResults(readme: string): string {
  const published = publishedRuns();
  const tables = {
    results: trainingTable(published),
    unfinished: unfinishedTable(),
    "post-training": roundingTable(published),
  };
  return Object.entries(tables).reduce(between, readme);
}

function between(readme: string, [name, table]: readonly [string, string]): string {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->\n`];
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md lacks ${begin.trim()} or, behind it, ${end.trim()}`);
  return readme.slice(0, from + begin.length) + table + readme.slice(to);
}
