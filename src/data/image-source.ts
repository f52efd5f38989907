import type { ByteBatch } from "./dataset.ts";

/** Where the images of one part of a data set come from, by number. */
export interface ImageSource {
  /** Images there are. */
  readonly count: number;
  /** How many batches of this size are read before their reader asks for them; 0 in memory. */
  ahead(batchSize: number): number;
  /**
   * Reads the images of these numbers, into arrays of the batch's own.
   *
   * @param epoch Changes the images as training does in that epoch; null leaves them as they are.
   */
  read(indices: Uint32Array, epoch: number | null): Promise<ByteBatch>;
  /** Hears which of the images that were read have been taken: others were read ahead, and may never be. */
  use(indices: Uint32Array): void;
}
