import type { Targets } from "../data/targets.ts";
import type { Figure, Metrics } from "./metric.ts";

/** What an exported file and the trainer make of one batch. */
export interface ComparedBatch {
  /** [count, height, width, channels]. */
  readonly images: Uint8Array;
  /** [count, outputs], row after row. */
  readonly runtime: ArrayLike<number>;
  readonly trainer: ArrayLike<number>;
  readonly targets: Targets;
  readonly count: number;
}

/** Compares an exported file's outputs with the trainer's, batch by batch. */
export interface Agreement {
  add(batch: ComparedBatch): void;
  readonly result: ComparedPredictions;
  /** What of it is not as it should be, for an error; null where all is. */
  readonly disagreement: string | null;
}

export interface ComparedPredictions {
  readonly images: number;
  /** Of the file. */
  readonly metrics: Metrics;
  readonly trainerMetrics: Metrics;
  /** How near the two are. */
  readonly agreement: Figure[];
}
