import type { Reporter } from "../base/progress.ts";
import type { Dataset } from "./dataset.ts";
import { loadMnist } from "./mnist.ts";
import { holdOut, limited } from "./split.ts";

/** What a configuration says of its data. */
export interface DataOptions {
  readonly name: "mnist";
  readonly folder?: string | undefined;
  readonly validationShare: number;
  readonly limit?: { readonly train?: number | undefined; readonly test?: number | undefined } | undefined;
}

/** Loads a data set, fetching it once when no folder is given; holds out the validation share. */
export async function loadDataset(
  { name, folder, validationShare, limit }: DataOptions,
  { seed, reporter }: { seed: number; reporter: Reporter },
): Promise<Dataset> {
  const { train, test, ...rest } = await loadMnist(folder, reporter);
  return {
    ...rest,
    name,
    // MNIST: pixels in [0, 1], nothing subtracted (as the authors train).
    normalization: { mean: [0], deviation: [1] },
    ...holdOut(limited(train, limit?.train), validationShare, seed),
    test: limited(test, limit?.test),
  };
}
