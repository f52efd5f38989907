import type { Dataset, Normalization, TokenDescription } from "./dataset.ts";
import type { ImageSource } from "./image-source.ts";

/** Class indices of images, in their order. */
export interface PartClasses {
  readonly train: Int32Array;
  /** Where the data set has a part for it. */
  readonly validation: Int32Array | null;
  readonly test: Int32Array;
}

/** A data set ready to be read, in memory or from files, before a share is held out. */
export interface OpenedData extends Pick<Dataset, "imageShape" | "targets" | "files" | "images" | "damaged" | "close"> {
  /** The usual one; null where there is none. */
  readonly normalization: Normalization | null;
  /** Of texts; absent: images, or values. */
  readonly tokens?: TokenDescription;
  /** Samples are float32 numbers, which go into the network as they are; absent: images or texts. */
  readonly values?: true;
  readonly train: ImageSource;
  /** Where the data set has a part for it. */
  readonly validation: ImageSource | null;
  readonly test: ImageSource;
  /** Of each part's images, where they have classes. */
  readonly classes: PartClasses | null;
}
