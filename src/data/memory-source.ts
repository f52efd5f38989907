import { tuple } from "../core/tuple.ts";
import { type Augmentation, copyChanged, drawChange, imageDraws } from "./augmentation.ts";
import type { ByteBatch, ImageSet } from "./dataset.ts";
import type { ImageSource } from "./image-source.ts";
import { pickTargets, voidPixel } from "./targets.ts";

/** Serves images, or texts, that are in memory; the set itself is never changed. */
export function memorySource(
  { count, images, targets }: ImageSet,
  shape: readonly number[],
  { augmentation, seed }: { augmentation?: Augmentation | undefined; seed: number },
): ImageSource {
  const size = images.length / count;
  const maskSize = targets.kind === "masks" ? targets.values.length / count : 0;
  const read = (indices: Uint32Array, epoch: number | null): ByteBatch => {
    const changed = new Uint8Array(indices.length * size);
    const masks = new Uint8Array(indices.length * maskSize).fill(voidPixel);
    indices.forEach((index, position) => {
      if (epoch === null || augmentation === undefined) {
        changed.set(images.subarray(index * size, (index + 1) * size), position * size);
      } else {
        const change = drawChange(imageDraws({ seed, epoch, index }, 3), augmentation);
        const [height, width, channels] = tuple(shape, 3);
        copyChanged(images, index * size, changed, position * size, [height, width, channels], change);
        if (targets.kind === "masks")
          copyChanged(targets.values, index * maskSize, masks, position * maskSize, [height, width, 1], change);
      }
    });
    const unchanged = epoch === null || augmentation === undefined || targets.kind !== "masks";
    return {
      count: indices.length,
      images: changed,
      targets: unchanged ? pickTargets(targets, indices, count) : { kind: "masks", values: masks },
    };
  };
  return { count, ahead: () => 0, read: async (indices, epoch) => read(indices, epoch), use() {} };
}
