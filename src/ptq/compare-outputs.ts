import { lookup } from "../core/lookup.ts";
import { unwatched } from "../core/progress.ts";
import type { FileSession, RuntimeTensor } from "../onnx/file-session.ts";
import { countedOf } from "./output-numbers.ts";
import type { SampleBatch } from "./samples.ts";
import { SignalSums } from "./signal-sums.ts";

/** How one output of the written file compares with that of the file that went in. */
export interface OutputComparison {
  readonly name: string;
  /** Signal-to-noise ratio, 10·log10(Σ y² / Σ (y - ŷ)²); null: not one number differs, its sizes do, or y is 0. */
  readonly sqnrDb: number | null;
  /** Cosine of the angle between the two; null where one of them is zero. */
  readonly cosine: number | null;
  /** Whether not one number differs. */
  readonly same: boolean;
  /** Whether it has other sizes for some sample: there is nothing to hold it against then. */
  readonly otherSizes: boolean;
  /** Percent of rows whose largest number is the same; null where the output does not look like logits. */
  readonly agreement: number | null;
  /** Percent of samples whose label has the largest number, of this file's and of the one's that went in; null as there,
   * or where there are no labels, or labels beyond its classes. */
  readonly top1: number | null;
  readonly top1Float: number | null;
  readonly finite: boolean;
}

/** Rows of so many numbers at least look like logits. */
const FEWEST_CLASSES = 2;

class Comparison {
  readonly #sums = new SignalSums();
  #rows = 0;
  #agreeing = 0;
  #right = { float: 0, quantized: 0 };
  #isLogits = true;
  #hasLabels = true;
  #sameSizes = true;

  add(expected: RuntimeTensor, got: RuntimeTensor, run: Omit<SampleBatch, "inputs">): void {
    // How many boxes or words there are may depend on the numbers: then there is nothing to hold them against.
    if (`${expected.dims}` !== `${got.dims}`) {
      this.#sameSizes = false;
      return;
    }
    const [a, b] = [countedOf(expected, run), countedOf(got, run)];
    const classes = expected.dims.at(-1) ?? 0;
    this.#isLogits &&= expected.dims.length === 2 && classes >= FEWEST_CLASSES;
    this.#sums.add(a, b);
    if (!this.#isLogits) return;
    const rows = a.length / classes;
    const { count, labels } = run;
    this.#hasLabels &&= labels !== null && rows === count && labels.every((label) => label < classes);
    for (let row = 0; row < rows; row++) {
      this.#rows++;
      const [from, to] = [row * classes, (row + 1) * classes];
      const [float, quantized] = [largest(a.subarray(from, to)), largest(b.subarray(from, to))];
      if (float === quantized) this.#agreeing++;
      const label = labels?.[row];
      if (float === label) this.#right.float++;
      if (quantized === label) this.#right.quantized++;
    }
  }

  result(name: string): OutputComparison {
    const { sqnrDb, cosine, same, finite } = this.#sums;
    const areClasses = this.#isLogits && this.#rows > 0;
    const share = (count: number) => (100 * count) / this.#rows;
    const labelled = areClasses && this.#hasLabels && this.#sameSizes;
    return {
      name,
      sqnrDb: this.#sameSizes ? sqnrDb : null,
      cosine: this.#sameSizes ? cosine : null,
      otherSizes: !this.#sameSizes,
      same: this.#sameSizes && same,
      agreement: areClasses ? share(this.#agreeing) : null,
      top1: labelled ? share(this.#right.quantized) : null,
      top1Float: labelled ? share(this.#right.float) : null,
      finite,
    };
  }
}

function largest(values: Float32Array | Float64Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index;
  return best;
}

/**
 * Runs both files on the same samples.
 *
 * @param hear Gets how many samples are compared, after each run.
 */
export async function compareOutputs(
  float: FileSession,
  quantized: FileSession,
  batches: AsyncIterable<SampleBatch>,
  hear: (samples: number) => Promise<void> = unwatched.done,
): Promise<{ readonly samples: number; readonly outputs: readonly OutputComparison[] }> {
  const comparisons = new Map(float.outputs.map(({ name }) => [name, new Comparison()]));
  let samples = 0;
  for await (const batch of batches) {
    const expected = await float.run(batch.inputs);
    const got = await quantized.run(batch.inputs);
    for (const [name, comparison] of comparisons) comparison.add(lookup(expected, name), lookup(got, name), batch);
    samples += batch.count;
    await hear(samples);
  }
  return { samples, outputs: Array.from(comparisons, ([name, comparison]) => comparison.result(name)) };
}
