import { lookup } from "../core/lookup.ts";
import type { Samples } from "./samples.ts";
import type { FileSession, RuntimeTensor } from "./session.ts";

/** How one output of the written file compares with that of the file that went in. */
export interface OutputComparison {
  readonly name: string;
  /** Signal-to-noise ratio, 10·log10(Σ y² / Σ (y - ŷ)²); null: not one number differs, or it gives no real numbers. */
  readonly sqnrDb: number | null;
  /** Cosine of the angle between the two; null where one of them is zero. */
  readonly cosine: number | null;
  /** Whether not one number differs. */
  readonly same: boolean;
  /** Percent of rows whose largest number is the same; null where the output does not look like logits. */
  readonly agreement: number | null;
  readonly finite: boolean;
}

/** Rows of so many numbers at least look like logits. */
const FEWEST_CLASSES = 2;

class Comparison {
  #signal = 0;
  #noise = 0;
  #product = 0;
  #other = 0;
  #rows = 0;
  #agreeing = 0;
  #isLogits = true;
  #real = true;
  #finite = true;

  /** @param count How many of the batch's samples count. */
  add(expected: RuntimeTensor, got: RuntimeTensor, count: number): void {
    const [a, b] = [expected.data, got.data];
    if (!(a instanceof Float32Array) || !(b instanceof Float32Array)) {
      this.#real = false;
      return;
    }
    const [batch = 1] = expected.dims;
    const classes = expected.dims.at(-1) ?? 0;
    this.#isLogits &&= expected.dims.length === 2 && classes >= FEWEST_CLASSES;
    const length = Math.min(a.length, Math.round((a.length / batch) * Math.min(batch, count)));
    for (let index = 0; index < length; index++) {
      const [x, y] = [a[index]!, b[index]!];
      this.#signal += x * x;
      this.#noise += (x - y) * (x - y);
      this.#product += x * y;
      this.#other += y * y;
      // What the file itself gives as infinite is its own.
      if (!Number.isFinite(y) && Number.isFinite(x)) this.#finite = false;
    }
    if (!this.#isLogits) return;
    for (let row = 0; row < length / classes; row++) {
      this.#rows++;
      const [from, to] = [row * classes, (row + 1) * classes];
      if (largest(a.subarray(from, to)) === largest(b.subarray(from, to))) this.#agreeing++;
    }
  }

  result(name: string): OutputComparison {
    const real = this.#real && this.#signal > 0;
    const length = Math.sqrt(this.#signal * this.#other);
    return {
      name,
      sqnrDb: real && this.#noise > 0 ? 10 * Math.log10(this.#signal / this.#noise) : null,
      cosine: real && length > 0 ? this.#product / length : null,
      same: this.#noise === 0,
      agreement: this.#isLogits && this.#rows > 0 ? (100 * this.#agreeing) / this.#rows : null,
      finite: this.#finite,
    };
  }
}

function largest(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index;
  return best;
}

/** Runs both files on the same samples. */
export async function compareOutputs(
  float: FileSession,
  quantized: FileSession,
  { samples, order }: { readonly samples: Samples; readonly order: Uint32Array },
): Promise<readonly OutputComparison[]> {
  const comparisons = new Map(float.outputs.map(({ name }) => [name, new Comparison()]));
  for (const { inputs, count } of samples.batches(order)) {
    const expected = await float.run(inputs);
    const got = await quantized.run(inputs);
    for (const [name, comparison] of comparisons) comparison.add(lookup(expected, name), lookup(got, name), count);
  }
  return Array.from(comparisons, ([name, comparison]) => comparison.result(name));
}
