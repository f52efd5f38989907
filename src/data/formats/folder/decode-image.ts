import sharp, { type Sharp } from "sharp";
import { messageOf } from "../../../core/errors.ts";
import { type Augmentation, copyChanged, drawChange, imageDraws } from "../../augmentation.ts";
import type { ImageShape } from "../../dataset.ts";
import { middle, type RandomResizedCrop, type Resize, randomCrop, randomCropDraws, resizedSize } from "./resize.ts";

/** How image files become images of one size. */
export interface Recipe {
  readonly shape: ImageShape;
  readonly resize: Resize;
  readonly augmentation: (Augmentation & { readonly randomResizedCrop?: RandomResizedCrop | undefined }) | undefined;
  readonly seed: number;
}

/** 67 million, a large camera's. Decoders hold 6 bytes of each where an image comes in passes (progressive JPEG). */
const maxPixels = 2 ** 26;

// Libvips keeps what it decoded lately, and splits an image over threads: images are seen once, and many at a time.
sharp.cache(false);
sharp.concurrency(1);

/**
 * Decodes one image file's content into `to` at `at`, zeros so far: resized, and for training changed as `index` and `epoch` draw.
 *
 * @param epoch null for evaluation.
 * @throws Error with the reason alone: neither JPEG nor PNG, truncated, too large.
 */
export async function decodeImage(
  content: Buffer,
  recipe: Recipe,
  { epoch, index }: { epoch: number | null; index: number },
  to: Uint8Array,
  at: number,
): Promise<void> {
  const { shape, augmentation, seed } = recipe;
  const changed = epoch !== null && augmentation !== undefined;
  const draws = changed ? imageDraws({ seed, epoch, index }, 3 + randomCropDraws) : null;
  refuseOther(content);
  // "error" and not "warning": many a whole JPEG in use has stray bytes.
  const image = sharp(content, { failOn: "error", limitInputPixels: maxPixels, sequentialRead: true });
  const { width, height } = await image.metadata();
  const sized = resize(image, { width, height }, recipe, draws);
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
  const change = draws === null ? unchanged : drawChange(draws, augmentation!);
  copyChanged(data, 0, to, at, shape, change);
}

const unchanged = { down: 0, right: 0, flip: false } as const;

function resize(image: Sharp, size: { width: number; height: number }, recipe: Recipe, draws: Float64Array | null) {
  const { shape, augmentation } = recipe;
  const [height, width] = shape;
  // What others call bilinear with antialiasing.
  const options = { fit: "fill", kernel: "linear" } as const;
  if (draws !== null && augmentation?.randomResizedCrop !== undefined) {
    const region = randomCrop(size, augmentation.randomResizedCrop, draws.subarray(3));
    return image.extract(region).resize(width, height, options);
  }
  if (recipe.resize.fit === "stretch") return image.resize(width, height, options);
  const large = resizedSize(size, recipe.resize.shorterSide, shape);
  return image.resize(large.width, large.height, options).extract(middle(large, { width, height }));
}

/** Sharp reads many formats; only two are images here, whatever a file's name says. */
function refuseOther(content: Buffer): void {
  const isJpeg = content[0] === 0xff && content[1] === 0xd8;
  const isPng = content.subarray(0, 4).equals(Buffer.from("\x89PNG", "latin1"));
  if (isJpeg || isPng) return;
  const start = content.length === 0 ? "it is empty" : `it starts with ${content.subarray(0, 4).toString("hex")}`;
  throw new Error(`neither JPEG nor PNG: ${start}`);
}
