import { type Augmentation, copyChanged, drawChange, imageDraws } from "./augmentation.ts";
import type { ByteBatch, ImageSet, ImageShape } from "./dataset.ts";
import type { ImageSource } from "./image-source.ts";

/** Serves images that are in memory; the set itself is never changed. */
export function memorySource(
  { images, labels }: ImageSet,
  shape: ImageShape,
  { augmentation, seed }: { augmentation?: Augmentation | undefined; seed: number },
): ImageSource {
  const size = shape.reduce((product, length) => product * length, 1);
  const read = (indices: Uint32Array, epoch: number | null): ByteBatch => {
    const batch = { images: new Uint8Array(indices.length * size), labels: new Int32Array(indices.length) };
    indices.forEach((index, position) => {
      batch.labels[position] = labels[index]!;
      if (epoch === null || augmentation === undefined) {
        batch.images.set(images.subarray(index * size, (index + 1) * size), position * size);
      } else {
        const change = drawChange(imageDraws({ seed, epoch, index }, 3), augmentation);
        copyChanged(images, index * size, batch.images, position * size, shape, change);
      }
    });
    return batch;
  };
  return { labels, ahead: () => 0, read: async (indices, epoch) => read(indices, epoch) };
}
