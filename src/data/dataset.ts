import type { TargetDescription, Targets } from "./targets.ts";
import type { TokenizerFile } from "./text/tokenizer.ts";
import type { WaitingTime } from "./waiting.ts";

/** Images of one part of a data set in memory, compact: pixels stay bytes until the engine normalises them. Or texts. */
export interface ImageSet {
  readonly count: number;
  /** [count, height, width, channels], 0…255; or the bytes of int32 tokens or float32 values, [count, …] (`sample-numbers.ts`). */
  readonly images: Uint8Array;
  readonly targets: Targets;
}

/** Images, or texts, of one step, as bytes, in arrays of their own: the engine reads them in place. */
export interface ByteBatch {
  /** n: less than what was asked for where damaged images are left out, even 0. */
  readonly count: number;
  /** [n, height, width, channels]; or the bytes of int32 tokens or float32 values, [n, …] (`sample-numbers.ts`). */
  readonly images: Uint8Array;
  readonly targets: Targets;
}

/** One part of a data set, in memory or streamed from files: to its readers they are the same. */
export interface Split {
  /** Images there are; damaged ones, which may be left out of batches, count. */
  readonly count: number;
  /** Every image once, in the split's own order and unchanged; the first `limit` of them. */
  batches(options: { readonly batchSize: number; readonly limit?: number }): AsyncIterable<ByteBatch>;
}

/** What training reads. */
export interface TrainingSplit extends Split {
  /** The images at these positions of the split, in this order and unchanged. */
  pick(positions: ArrayLike<number>): Split;
  /**
   * The batches of an epoch (counted from 0) in its random order, images changed as the configuration's augmentation
   * says: all a function of seed, epoch and image. A resumed run begins at batch `from`, counted from 0.
   */
  epoch(options: {
    readonly epoch: number;
    readonly batchSize: number;
    readonly from?: number;
    /** Adds up how long images keep their reader waiting. */
    readonly waiting?: WaitingTime;
  }): AsyncIterable<ByteBatch>;
}

/** Per channel: a network sees (pixel/255 - mean) / deviation. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** A file that was read, or a folder's list of files (src/data/formats/folder/scan-folder.ts). */
export interface DataFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The files of a data set with a file for each image, as far as they were used: read and taken by who asked for them. */
export interface UsedImages {
  /** In the order of first use, but for the first `count`. Names are paths below the folder. */
  usedFrom(count: number): readonly DataFile[];
  /**
   * What a run had used before it goes on: it counts as used first, and is compared with what was read already and with
   * all that will be.
   *
   * @throws UserError that names a file that is gone, or has changed: at once where its length tells, else when it is read.
   */
  expect(files: readonly DataFile[]): void;
  /** Names of the images that are here and not among these. */
  notAmong(files: readonly DataFile[]): readonly string[];
}

/** Sizes of a sample's axes. */
type Shape = readonly number[];

/** [height, width, channels]. */
export type ImageShape = readonly [number, number, number];

/** What the numbers of tokens mean. */
export interface TokenDescription {
  /** They are below it. */
  readonly vocabulary: number;
  /** How texts become tokens; null: they came as numbers. */
  readonly tokenizer: TokenizerFile | null;
}

/** What every data set and format becomes. */
export interface Dataset {
  readonly name: string;
  /** [height, width, channels], of texts [tokens], of values any. */
  readonly imageShape: Shape;
  readonly targets: TargetDescription;
  /** null: tokens, or values, go into the network as they are. */
  readonly normalization: Normalization | null;
  /** Of texts; absent: images, or values. */
  readonly tokens?: TokenDescription;
  /** Samples are float32 numbers; absent: images or texts. */
  readonly values?: true;
  readonly train: TrainingSplit;
  /** For choosing without touching the test set; null when nothing is held out for it. */
  readonly validation: Split | null;
  readonly test: Split;
  readonly files: readonly DataFile[];
  /** null: the images are in memory, out of `files`. */
  readonly images: UsedImages | null;
  /** Paths of images that could not be read and were left out so far, sorted. */
  damaged(): readonly string[];
  /** Ends the threads that read images, if there are any. */
  close(): Promise<void>;
}

/** A data set of images. */
export interface ImageDataset extends Dataset {
  readonly imageShape: ImageShape;
  readonly normalization: Normalization;
}

/** A data set that was read into memory whole, before a share is held out. */
export interface LoadedData {
  readonly imageShape: Shape;
  readonly targets: TargetDescription;
  /** Of texts; absent: images, or values. */
  readonly tokens?: TokenDescription;
  /** Samples are float32 numbers, which go into the network as they are; absent: images or texts. */
  readonly values?: true;
  /** The customary one; null where there is none. */
  readonly normalization: Normalization | null;
  readonly train: ImageSet;
  readonly test: ImageSet;
  readonly files: readonly DataFile[];
}
