import { subset } from "../../core/random.ts";
import type { ByteBatch, Dataset, Split } from "../../data/dataset.ts";
import { pickTargets } from "../../data/targets.ts";

/** Images that are read once and looked at many times. */
export interface HeldImages {
  readonly from: "validation" | "train";
  /** In memory, in batches. */
  readonly split: Split;
  /** Some of them, evenly spaced. */
  readonly sample: Pick<ByteBatch, "count" | "images">;
}

/** Images of the sample. */
const sampleImages = 64;

export interface HoldOptions {
  /** At most so many. */
  readonly most: number;
  readonly batchSize: number;
  /** Which ones: a function of it alone. */
  readonly seed: number;
  /** Called between two batches; throws to end there. */
  pause(): Promise<void>;
}

/**
 * Images that were held out of training or, where none were, some that were trained on, unchanged; never test images.
 * Damaged ones are left out.
 */
export async function holdImages(
  { train, validation }: Pick<Dataset, "train" | "validation">,
  { most, batchSize, seed, pause }: HoldOptions,
): Promise<HeldImages> {
  const all = (validation ?? train).count;
  const positions = subset({ seed, stream: "sensitivity", counter: 0 }, all, Math.min(most, all)).sort();
  const held: ByteBatch[] = [];
  const chosen = new Set(positions);
  let position = 0;
  // A held-out part is read whole: its classes may lie one behind the other.
  const read = validation ?? train.pick(positions);
  for await (const batch of read.batches({ batchSize })) {
    const isKept = (index: number) => validation === null || chosen.has(position + index);
    const indices = Uint32Array.from({ length: batch.count }, (_, index) => index).filter(isKept);
    if (indices.length > 0) held.push(imagesAt(batch, indices));
    position += batch.count;
    await pause();
  }
  const count = held.reduce((sum, batch) => sum + batch.count, 0);
  return {
    from: validation === null ? "train" : "validation",
    split: {
      count,
      async *batches() {
        yield* held;
      },
    },
    sample: sampleOf(held, count),
  };
}

function sampleOf(held: readonly ByteBatch[], count: number): HeldImages["sample"] {
  const step = Math.ceil(count / sampleImages);
  let position = 0;
  const parts = held.map((batch) => {
    const indices = Uint32Array.from({ length: batch.count }, (_, index) => index).filter(
      (index) => (position + index) % step === 0,
    );
    position += batch.count;
    return imagesAt(batch, indices);
  });
  return {
    count: parts.reduce((sum, part) => sum + part.count, 0),
    images: Uint8Array.from(Buffer.concat(parts.map(({ images }) => images))),
  };
}

/** Copies: a batch of all may be much larger than what is kept of it. */
function imagesAt({ count, images, targets }: ByteBatch, indices: Uint32Array): ByteBatch {
  const size = images.length / count;
  const kept = new Uint8Array(indices.length * size);
  indices.forEach((index, place) => {
    kept.set(images.subarray(index * size, (index + 1) * size), place * size);
  });
  return { count: indices.length, images: kept, targets: pickTargets(targets, indices, count) };
}
