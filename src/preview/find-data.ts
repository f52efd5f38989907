import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import sharp from "sharp";
import type { DataSettings, FolderConfig } from "../config/sections/data-settings.ts";
import { at, first } from "../core/elements.ts";
import { UsageError, UserError } from "../core/errors.ts";
import { median } from "../core/median.ts";
import { pathStats } from "../core/path-stats.ts";
import { type ScannedFolder, scanFolder, subfolders, trainName } from "../data/formats/folder/scan-folder.ts";
import { NpzFile } from "../data/formats/numpy/npz.ts";
import type { Model } from "../onnx/onnx-model.ts";
import { folderData } from "../ptq/folder-data.ts";

/** Data that was found where the user said. */
export interface FoundData {
  readonly settings: DataSettings;
  /** What is to be known of it, a line each. */
  readonly notes: readonly string[];
}

/** Share of a folder's images that is set aside for tests, where it has no part for them. */
const TEST_SHARE = 0.2;
/** Images whose sizes are looked at. */
const LOOKED_AT = 50;
/** Sides that networks are usually made for. */
const usualSides = [224, 128, 96, 64, 32, 28] as const;
/** Up to this side images are no photographs whose borders may go: all of them is shown. */
const SMALL = 64;

/** Data sets that need no folder. */
const known = ["mnist", "fashion-mnist", "cifar10"] as const;

/**
 * The section `data` of a configuration for what lies at a place: a known data set's name, a folder of images, or a
 * .npz file.
 *
 * @param model The network's file, which says how large images are; null: a folder's own size does.
 * @throws UsageError where it is none of these; UserError where it cannot be read.
 */
export async function findData(given: string, model: Model | null): Promise<FoundData> {
  const name = known.find((one) => one === given);
  if (name !== undefined) return { settings: { name }, notes: [] };
  const found = pathStats(given);
  if (found?.isDirectory()) return folderAt(given, model);
  if (found?.isFile() && /\.npz$/i.test(given)) return npzAt(given);
  const what = found === undefined ? "there is nothing of that name" : "it is none of these";
  throw new UsageError(`--data ${given}: ${what}: expected a folder of images, a .npz file, ${known.join(", ")}`);
}

async function folderAt(folder: string, model: Model | null): Promise<FoundData> {
  const hasParts = subfolders(folder, folder).includes(trainName);
  const parts = hasParts ? {} : { testShare: TEST_SHARE };
  const { height, width, isGray } = await imagesOf(scanFolder(folder, parts.testShare));
  const usual = usualSides.find((side) => side <= Math.min(height, width)) ?? at(usualSides, -1);
  const own: Sized = model === null ? { size: usual, channels: isGray ? 1 : 3 } : sizeFor(folderData(model, folder));
  const side = Math.max(...[own.size].flat());
  return {
    settings: {
      ...{ name: "folder", folder, ...parts, ...own },
      ...(side <= SMALL && { resize: { fit: "stretch" } }),
    },
    notes: [
      `images of ${height} × ${width} in the middle${isGray ? ", gray" : ""} become ${[own.size, own.size].flat().slice(0, 2).join(" × ")}`,
    ],
  };
}

type Sized = Pick<FolderConfig, "size" | "channels">;

/** What a model's input says of its images, with what is usual for what it leaves open. */
const sizeFor = ({ size = 224, channels = 3 }: ReturnType<typeof folderData>): Sized => ({ size, channels });

/** The medians of the first images' sides, and whether all are gray. */
async function imagesOf({ train }: ScannedFolder) {
  const sizes: { readonly height: number; readonly width: number; readonly gray: boolean }[] = [];
  for (const path of train.paths.slice(0, LOOKED_AT)) {
    try {
      const { height, width, channels } = await sharp(path).metadata();
      sizes.push({ height, width, gray: channels < 3 });
    } catch {
      // Training says what is wrong with an image, or leaves it out: here others tell how large they are.
    }
  }
  if (sizes.length === 0) throw new UserError(`cannot read ${first(train.paths)}, nor the images behind it`);
  return {
    height: median(sizes.map(({ height }) => height)),
    width: median(sizes.map(({ width }) => width)),
    isGray: sizes.every(({ gray }) => gray),
  };
}

/** One file with both parts, or one beside another: `train.npz` and `test.npz`. */
async function npzAt(path: string): Promise<FoundData> {
  const beside = join(dirname(path), basename(path).replace("train", "test"));
  if (beside !== join(path) && existsSync(beside)) {
    return { settings: { name: "npz", train: path, test: beside }, notes: [`tested on ${beside}`] };
  }
  const npz = await NpzFile.open(path);
  try {
    const isSplit = npz.names.some((name) => name === "test_images" || name === "x_test");
    return {
      settings: { name: "npz", train: path, test: path },
      notes: isSplit
        ? []
        : [`${path} has no part for tests (test_images): it is tested on the images that it is trained on`],
    };
  } finally {
    npz.close();
  }
}
