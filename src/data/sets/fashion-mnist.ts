import { existsSync } from "node:fs";
import { UserError } from "../../core/errors.ts";
import type { LoadedData } from "../dataset.ts";
import { findIdxFiles, readIdxSplits } from "../formats/idx-folder.ts";

const classes = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

/** Where Debian's package `dataset-fashion-mnist` puts the files. */
const installed = "/usr/share/datasets/fashion-mnist";

/**
 * Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017) from a folder with its four IDX files, gzipped or not.
 *
 * @throws UserError when files are missing or damaged; without a folder and Debian's package, how to get them.
 */
export async function loadFashionMnist(folder: string | undefined): Promise<LoadedData> {
  if (folder === undefined && !existsSync(installed)) {
    throw new UserError(
      `cannot read Fashion-MNIST: there is no ${installed}; install Debian's package dataset-fashion-mnist, or name a folder with the four IDX files as data.folder`,
    );
  }
  const splits = await readIdxSplits(findIdxFiles(folder ?? installed), classes.length);
  // Statistics of the 60,000 training images.
  return {
    ...splits,
    targets: { kind: "classes", names: classes },
    normalization: { mean: [0.286], deviation: [0.353] },
  };
}
