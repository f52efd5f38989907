import sharp, { type Sharp } from "sharp";
import { messageOf } from "../../../core/errors.ts";
import { type Augmentation, type Change, copyChanged, drawChange, imageDraws } from "../../augmentation.ts";
import type { ImageShape } from "../../dataset.ts";
import type { MaskValues } from "./mask-values.ts";
import { type RandomResizedCrop, type Resize, randomCropDraws, type Size, type View, viewOf } from "./resized-view.ts";

/** How image files become images of one size. */
export interface Recipe {
  readonly shape: ImageShape;
  readonly resize: Resize;
  readonly augmentation: (Augmentation & { readonly randomResizedCrop?: RandomResizedCrop | undefined }) | undefined;
  readonly seed: number;
  /** What masks beside the images have for each class; absent: there are none. */
  readonly masks?: MaskValues;
}

/** Which image is decoded, and when. */
interface Seen {
  /** null for evaluation. */
  readonly epoch: number | null;
  readonly index: number;
}

/** 67 million, a large camera's. Decoders hold 6 bytes of each where an image comes in passes (progressive JPEG). */
const maxPixels = 2 ** 26;

// Libvips keeps what it decoded lately, and splits an image over threads: images are seen once, and many at a time.
sharp.cache(false);
sharp.concurrency(1);

/**
 * Decodes one image file's content into `to` at `at`, zeros so far: resized, and for training changed as `index` and `epoch` draw.
 *
 * @returns Its own size.
 * @throws Error with the reason alone: neither JPEG nor PNG, truncated, too large.
 */
export async function decodeImage(
  content: Buffer,
  recipe: Recipe,
  seen: Seen,
  to: Uint8Array,
  at: number,
): Promise<Size> {
  const { shape } = recipe;
  refuseOther(content);
  // "error" and not "warning": many a whole JPEG in use has stray bytes.
  const image = sharp(content, { failOn: "error", limitInputPixels: maxPixels, sequentialRead: true });
  const { width, height } = await image.metadata();
  const { view, change } = changesOf({ width, height }, recipe, seen);
  const sized = resize(image, { width, height }, view);
  const colour = sized.toColourspace(shape[2] === 1 ? "b-w" : "srgb").removeAlpha();
  const { data, info } = await colour
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      // What the decoder says of some cut files.
      if (messageOf(error) === "Unknown error") throw new Error("truncated or damaged", { cause: error });
      throw error;
    });
  const found = [info.height, info.width, info.channels];
  if (found.join() !== shape.join()) throw new Error(`decoded to ${found.join(" x ")}, expected ${shape.join(" x ")}`);
  copyChanged(data, 0, to, at, shape, change);
  return { width, height };
}

/** What is seen of an image of a size, and how that is changed then: the same for its mask. */
export function changesOf(size: Size, recipe: Recipe, { epoch, index }: Seen): { view: View; change: Change } {
  const { augmentation, seed } = recipe;
  if (epoch === null || augmentation === undefined)
    return { view: viewOf(size, recipe, null), change: { down: 0, right: 0, flip: false } };
  const draws = imageDraws({ seed, epoch, index }, 3 + randomCropDraws);
  const ranges = augmentation.randomResizedCrop;
  const crop = ranges === undefined ? null : { ranges, draws: draws.subarray(3) };
  return { view: viewOf(size, recipe, crop), change: drawChange(draws, augmentation) };
}

function resize(image: Sharp, size: Size, { from, large, cut }: View): Sharp {
  const isPart = from.width !== size.width || from.height !== size.height;
  // What others call bilinear with antialiasing.
  const sized = (isPart ? image.extract(from) : image).resize(large.width, large.height, {
    fit: "fill",
    kernel: "linear",
  });
  const isCut = cut.width !== large.width || cut.height !== large.height;
  return isCut ? sized.extract(cut) : sized;
}

/** Sharp reads many formats; only two are images here, whatever a file's name says. */
function refuseOther(content: Buffer): void {
  const isJpeg = content[0] === 0xff && content[1] === 0xd8;
  const isPng = content.subarray(0, 4).equals(Buffer.from("\x89PNG", "latin1"));
  if (isJpeg || isPng) return;
  const start = content.length === 0 ? "it is empty" : `it starts with ${content.subarray(0, 4).toString("hex")}`;
  throw new Error(`neither JPEG nor PNG: ${start}`);
}
