import type { Progress as Position } from "../runs/checkpoint.ts";

/** Where training stands after a step. */
export interface StepProgress {
  readonly step: number;
  readonly steps: number;
  /** The epoch that the step is of, counted from 1; the last one once all are done. */
  readonly epoch: number;
  readonly epochs: number;
  /** The task's, with the prior: mean over the epoch's images so far; null where no step has counted. */
  readonly loss: number | null;
  /** This session's pace, evaluation included. */
  readonly stepsPerSecond: number;
  /** What the steps that are left take at this session's pace, evaluation included. */
  readonly secondsLeft: number;
}

/** Tells how far training is, and how long the rest takes, by the pace since it was made. */
export class StepPace {
  readonly #epochs: number;
  readonly #now: () => number;
  readonly #from: { readonly at: number; readonly position: Position };

  /** @param now Milliseconds of a clock that nobody sets. */
  constructor(epochs: number, position: Position, now: () => number = performance.now.bind(performance)) {
    this.#epochs = epochs;
    this.#now = now;
    this.#from = { at: now(), position };
  }

  after({ epoch, batch, sums }: Position, perEpoch: number): StepProgress {
    const { at, position } = this.#from;
    const step = epoch * perEpoch + batch;
    const done = step - (position.epoch * perEpoch + position.batch);
    const steps = this.#epochs * perEpoch;
    const seconds = (this.#now() - at) / 1000;
    return {
      step,
      steps,
      epoch: Math.min(epoch + 1, this.#epochs),
      epochs: this.#epochs,
      loss: sums.images === 0 ? null : sums.loss / sums.images,
      stepsPerSecond: seconds > 0 ? done / seconds : 0,
      secondsLeft: (seconds / Math.max(1, done)) * (steps - step),
    };
  }
}
