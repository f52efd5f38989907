import { join } from "node:path";
import { UsageError, UserError } from "../../../core/errors.ts";
import {
  type FoundImage,
  imagesIn,
  interleave,
  listOf,
  partsOf,
  type ScannedFolder,
  setAside,
  subfolders,
  trainName,
} from "./scan-folder.ts";

/** The same of a folder that has no class folders, which are where images are looked for. Null: it has some. */
export function scanPlain(folder: string, testShare: number | undefined): ScannedFolder | null {
  const parts = subfolders(folder, `data.folder ${folder}`);
  const within = parts.includes(trainName) ? subfolders(join(folder, trainName), folder) : parts;
  return within.length > 0 ? null : scanWhole(folder, testShare);
}

/**
 * Finds the images of a folder, whatever folders they lie in: `train` and `val`, `validation` or `test`, or all of it, of
 * which `testShare` is set aside for tests.
 *
 * @throws UserError when a part has no image; UsageError when `testShare` does not fit the layout.
 */
export function scanWhole(folder: string, testShare: number | undefined): ScannedFolder {
  const parts = subfolders(folder, `data.folder ${folder}`);
  if (parts.includes(trainName)) {
    if (testShare !== undefined)
      throw new UsageError(`data.testShare: ${folder} has a folder for tests already; leave testShare away`);
    const { tested, held } = partsOf(folder, parts);
    const scan = (part: string) => ({ part, images: imagesOf(join(folder, part)) });
    return scanned(folder, {
      train: scan(trainName),
      validation: held === null ? null : scan(held),
      test: scan(tested),
    });
  }
  if (testShare === undefined) {
    throw new UsageError(
      `data.testShare: ${folder} has no folders train and val: say which share of the images is for tests, as testShare: 0.2`,
    );
  }
  const { train, test } = setAside(imagesOf(folder), { share: testShare, stream: "test-share" });
  if (train.length === 0)
    throw new UserError(`data.testShare: ${folder} has ${test.length} images: too few to train and to test on`);
  return scanned(folder, {
    train: { part: "train", images: train },
    validation: null,
    test: { part: "test", images: test },
  });
}

interface Part {
  readonly part: string;
  readonly images: readonly FoundImage[];
}

function scanned(
  folder: string,
  { train, validation, test }: { readonly train: Part; readonly validation: Part | null; readonly test: Part },
): ScannedFolder {
  const filesOf = ({ images }: Part) => interleave([images]);
  return {
    classes: [],
    train: filesOf(train),
    validation: validation && filesOf(validation),
    test: filesOf(test),
    files: [train, ...(validation ? [validation] : []), test].map(({ part, images }) => listOf(part, folder, [images])),
  };
}

function imagesOf(folder: string): readonly FoundImage[] {
  const images = imagesIn(folder);
  if (images.length > 0) return images;
  throw new UserError(`cannot read ${folder}: no JPEG or PNG image in it`);
}
