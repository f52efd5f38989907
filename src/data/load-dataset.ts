import type { Reporter } from "../base/progress.ts";
import { loadCifar10 } from "./cifar10.ts";
import type { Dataset, LoadedData } from "./dataset.ts";
import { loadMnist } from "./mnist.ts";
import { holdOut, limited } from "./split.ts";

/** What a configuration says of its data. */
export interface DataOptions {
  readonly name: "mnist" | "cifar10";
  /** A folder of the user's; by default the data set is fetched once into the cache. */
  readonly folder?: string | undefined;
  /** Share of the training images, after `limit`, that is held out. */
  readonly validationShare: number;
  /** Only the first images. */
  readonly limit?: { readonly train?: number | undefined; readonly test?: number | undefined } | undefined;
}

const loaders: Readonly<
  Record<DataOptions["name"], (folder: string | undefined, reporter: Reporter) => Promise<LoadedData>>
> = { mnist: loadMnist, cifar10: loadCifar10 };

/**
 * Loads a data set, fetching it once when no folder is given, and holds out the validation share.
 *
 * @param seed Chooses which images are held out.
 * @throws UserError when files are missing, damaged or cannot be fetched; UsageError when the share leaves a part empty.
 */
export async function loadDataset(
  { name, folder, validationShare, limit }: DataOptions,
  { seed, reporter }: { seed: number; reporter: Reporter },
): Promise<Dataset> {
  const { train, test, ...rest } = await loaders[name](folder, reporter);
  return {
    ...rest,
    name,
    ...holdOut(limited(train, limit?.train), { share: validationShare, seed }),
    test: limited(test, limit?.test),
  };
}
