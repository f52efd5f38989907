import { at } from "../../core/elements.ts";
import { divergenceFrom } from "./divergence-from.ts";

/** One of the outputs that a network gives side by side. */
export interface DistilledHead {
  /** Values for each sample. */
  readonly size: number;
  /** Whether they are logits of one softmax; else they are values. */
  readonly isSoftmax: boolean;
}

/**
 * The sum over a network's outputs of each one's distance from the teacher's: of logits the divergence at a temperature,
 * of values the mean squared error over their variance.
 *
 * @param teacher [rows, outputs], those of all heads side by side.
 * @param student The same of the student.
 */
export function distanceOfHeads(
  teacher: ArrayLike<number>,
  student: ArrayLike<number>,
  {
    heads,
    temperature,
    varianceOf,
  }: {
    readonly heads: readonly DistilledHead[];
    readonly temperature: number;
    readonly varianceOf: (head: number) => number;
  },
): { readonly loss: number; readonly gradient: Float32Array } {
  const width = heads.reduce((sum, { size }) => sum + size, 0);
  const gradient = new Float32Array(student.length);
  let [loss, from] = [0, 0];
  for (const [head, { size, isSoftmax }] of heads.entries()) {
    const start = from;
    const placeOf = (index: number) => Math.floor(index / size) * width + start + (index % size);
    const own = (values: ArrayLike<number>) =>
      Float64Array.from({ length: (values.length / width) * size }, (_, index) => at(values, placeOf(index)));
    const distance = isSoftmax
      ? divergenceFrom(own(teacher), own(student), { classes: size, temperature })
      : squaredDistance(own(teacher), own(student), varianceOf(head));
    loss += distance.loss;
    for (const [index, slope] of distance.gradient.entries()) gradient[placeOf(index)] = slope;
    from += size;
  }
  return { loss, gradient };
}

function squaredDistance(teacher: Float64Array, student: Float64Array, variance: number) {
  const unit = variance * student.length;
  const differences = student.map((value, index) => value - at(teacher, index));
  return {
    loss: differences.reduce((sum, difference) => sum + difference * difference, 0) / unit,
    gradient: Float32Array.from(differences, (difference) => (2 * difference) / unit),
  };
}
