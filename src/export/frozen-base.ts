export interface Base {
  readonly id: string;
  /** The nodes it reads, in order. */
  readonly inputs: readonly string[];
  /** Without the batch: [height, width, channels] or [units], after pruning. */
  readonly outputShape: readonly number[];
}
