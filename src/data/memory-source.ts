import { type Augmentation, copyChanged, drawChange, imageDraws } from "./augmentation.ts";
import type { ByteBatch, ImageSet, ImageShape } from "./dataset.ts";
import type { ImageSource } from "./image-source.ts";
import { pickTargets } from "./targets.ts";

/** Serves images that are in memory; the set itself is never changed. */
export function memorySource(
  { count, images, targets }: ImageSet,
  shape: ImageShape,
  { augmentation, seed }: { augmentation?: Augmentation | undefined; seed: number },
): ImageSource {
  const size = shape.reduce((product, length) => product * length, 1);
  const read = (indices: Uint32Array, epoch: number | null): ByteBatch => {
    const changed = new Uint8Array(indices.length * size);
    indices.forEach((index, position) => {
      if (epoch === null || augmentation === undefined) {
        changed.set(images.subarray(index * size, (index + 1) * size), position * size);
      } else {
        const change = drawChange(imageDraws({ seed, epoch, index }, 3), augmentation);
        copyChanged(images, index * size, changed, position * size, shape, change);
      }
    });
    return { count: indices.length, images: changed, targets: pickTargets(targets, indices, count) };
  };
  return { count, ahead: () => 0, read: async (indices, epoch) => read(indices, epoch), use() {} };
}
