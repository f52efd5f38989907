/** Images of one split, compact: pixels stay bytes until the engine normalises them. */
export interface ImageSet {
  readonly count: number;
  /** [count, height, width, channels], 0…255. */
  readonly images: Uint8Array;
  /** One class index per image. */
  readonly labels: Int32Array;
}

/** Per channel: a network sees (pixel/255 - mean) / deviation. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export interface DataFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What every data set and format becomes. */
export interface Dataset {
  readonly name: string;
  /** [height, width, channels]. */
  readonly imageShape: readonly [number, number, number];
  readonly classes: readonly string[];
  readonly normalization: Normalization;
  readonly train: ImageSet;
  /** A held-out share of the training images; null when none is held out. */
  readonly validation: ImageSet | null;
  readonly test: ImageSet;
  readonly files: readonly DataFile[];
}

/** A data set as its files have it, before a share is held out. */
export type LoadedData = Omit<Dataset, "name" | "validation">;
