import { relative, sep } from "node:path";
import { UserError } from "../../../core/errors.ts";
import {
  type FoundImage,
  imagesIn,
  interleave,
  listOf,
  type ScannedFolder,
  scanFolder,
  setAside,
  subfolders,
  trainName,
} from "./scan-folder.ts";

/** What is set aside for tests where nobody says. */
const usualShare = 0.25;

/**
 * Finds the images of a folder where nobody needs to know what they show: in one of the layouts of `scanFolder`, or
 * anywhere in it, without classes. Where it has no part for tests, a quarter is set aside, or `testShare`.
 *
 * @throws UserError as `scanFolder` does, and where there is no image at all.
 */
export function scanImages(folder: string, testShare: number | undefined): ScannedFolder {
  const parts = subfolders(folder, `data.folder ${folder}`);
  if (parts.includes(trainName)) return scanFolder(folder, testShare);
  const images = imagesIn(folder);
  if (images.length === 0) throw new UserError(`cannot read data.folder ${folder}: no JPEG or PNG image in it`);
  const share = testShare ?? usualShare;
  if (hasClasses(folder, parts, images)) return scanFolder(folder, share);
  // One image is all there is for both.
  const { train, test } =
    images.length === 1 ? { train: images, test: images } : setAside(images, { share, stream: "test-share" });
  return {
    classes: [],
    train: interleave([train]),
    validation: null,
    test: interleave([test]),
    files: [listOf("train", folder, [train]), listOf("test", folder, [test])],
  };
}

/** Whether two folders or more hold all images, each two or more of them: an image beside them is alone in its place. */
function hasClasses(folder: string, parts: readonly string[], images: readonly FoundImage[]): boolean {
  const counts = new Map<string, number>(parts.map((name) => [name, 0]));
  for (const { path } of images) {
    const [place = ""] = relative(folder, path).split(sep);
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return parts.length >= 2 && [...counts.values()].every((count) => count >= 2);
}
