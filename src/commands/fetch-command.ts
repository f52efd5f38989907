import { UsageError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import type { DataFile } from "../data/dataset.ts";
import { cifar10Folder, fetchCifar10 } from "../data/sets/cifar10.ts";
import { fetchMnist, mnistFolder } from "../data/sets/mnist.ts";
import { fetchReuters, reutersFolder } from "../data/sets/reuters-r8.ts";
import type { Context } from "./context.ts";

interface Fetchable {
  readonly folder: () => string;
  readonly fetch: (reporter: Reporter) => Promise<readonly DataFile[]>;
}

const fetchable: ReadonlyMap<string, Fetchable> = new Map([
  ["mnist", { folder: mnistFolder, fetch: fetchMnist }],
  ["reuters-r8", { folder: reutersFolder, fetch: fetchReuters }],
  ["cifar10", { folder: cifar10Folder, fetch: fetchCifar10 }],
]);

/**
 * `bayesian-bits fetch DATASET`: puts a data set into the cache, unless it is there, and prints where its files are.
 *
 * @throws UsageError when no data set of this name can be fetched; UserError when fetching fails.
 */
export async function runFetch(
  { dataset }: { readonly dataset: string },
  { json, print, reporter }: Pick<Context, "json" | "print" | "reporter">,
): Promise<void> {
  const source = fetchable.get(dataset);
  if (source === undefined) {
    const known = [...fetchable.keys()].join(", ");
    throw new UsageError(`fetch ${JSON.stringify(dataset)}: no such data set; those that can be fetched: ${known}`);
  }
  const files = await source.fetch(reporter);
  const folder = source.folder();
  if (json) return print(JSON.stringify({ dataset, folder, files }));
  print(`${dataset} in ${folder}`);
  const names = Math.max(...files.map(({ name }) => name.length));
  const sizes = Math.max(...files.map(({ bytes }) => String(bytes).length));
  for (const { name, bytes, sha256 } of files) {
    print(`  ${name.padEnd(names)}  ${String(bytes).padStart(sizes)} bytes  SHA-256 ${sha256}`);
  }
}
