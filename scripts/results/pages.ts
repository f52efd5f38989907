import { readFileSync } from "node:fs";
import { codebookTable } from "./codebook-table.ts";
import { embeddingTable } from "./embedding-table.ts";
import { frontTable } from "./front-table.ts";
import { granularityTable } from "./granularity-table.ts";
import { type Published, publishedRuns } from "./published.ts";
import { readLatencies } from "./record-latencies.ts";
import { roundingTable } from "./rounding-table.ts";
import { trainingTable } from "./training-table.ts";
import { unfinishedTable } from "./unfinished-table.ts";

/** Makes a table of the committed records. */
type Table = (published: readonly Published[]) => string;

/** The tables of results, by the page that they stand in and the two marks around each. */
export const pages: Readonly<Record<string, Readonly<Record<string, Table>>>> = {
  "README.md": { front: (published) => frontTable(published, readLatencies()) },
  "docs/method.md": { embeddings: embeddingTable, granularity: granularityTable },
  "docs/results.md": { results: trainingTable, unfinished: () => unfinishedTable() },
  "docs/post-training.md": { "post-training": roundingTable, codebooks: codebookTable },
};

/** Each page as it stands, and with its tables made anew. */
export function pagesOfResults(): readonly {
  readonly page: string;
  readonly before: string;
  readonly after: string;
}[] {
  const published = publishedRuns();
  return Object.entries(pages).map(([page, tables]) => {
    const before = readFileSync(page, "utf8");
    return { page, before, after: withTables(before, { page, tables, published }) };
  });
}

/**
 * A page with its tables made anew.
 *
 * @throws Error when a mark is missing.
 */
export function withTables(
  text: string,
  {
    page,
    tables,
    published,
  }: {
    readonly page: string;
    readonly tables: Readonly<Record<string, Table>>;
    readonly published: readonly Published[];
  },
): string {
  return Object.entries(tables).reduce((text, [name, table]) => {
    const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->\n`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${page} lacks ${begin.trim()} or, behind it, ${end.trim()}`);
    return text.slice(0, from + begin.length) + table(published) + text.slice(to);
  }, text);
}
