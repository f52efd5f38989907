import { UsageError } from "../base/errors.ts";
import { fetchMnist, mnistFolder } from "../data/mnist.ts";
import type { Context } from "./context.ts";

/** `fetch`: a data set into the cache; prints where its files are. */
export async function runFetch({ dataset }: { dataset: string }, { json, print, reporter }: Context): Promise<void> {
  if (dataset !== "mnist") throw new UsageError(`cannot fetch ${JSON.stringify(dataset)}: known data sets are mnist`);
  const files = await fetchMnist(reporter);
  if (json) return print(JSON.stringify({ dataset, folder: mnistFolder(), files }));
  print(`${dataset} in ${mnistFolder()}`);
  for (const { name, bytes, sha256 } of files) print(`  ${name}  ${bytes} bytes  SHA-256 ${sha256}`);
}
