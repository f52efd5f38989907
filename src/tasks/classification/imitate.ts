import { at } from "../../core/elements.ts";

/**
 * The Kullback-Leibler divergence of a student's classes from a teacher's (Hinton et al. 2015, at temperature 1), the mean
 * over the batch, and its gradient by the student's logits: (s - t)/batch.
 *
 * @param student Logits, [batch, classes].
 * @param teacher Logits of the same images.
 */
export function imitate(
  student: ArrayLike<number>,
  teacher: ArrayLike<number>,
  classes: number,
): { readonly loss: number; readonly gradient: Float32Array } {
  const batch = student.length / classes;
  const gradient = new Float32Array(student.length);
  let loss = 0;
  for (let start = 0; start < student.length; start += classes) {
    const wanted = logProbabilities(teacher, start, classes);
    for (const [index, own] of logProbabilities(student, start, classes).entries()) {
      const logarithm = at(wanted, index);
      loss += (Math.exp(logarithm) * (logarithm - own)) / batch;
      gradient[start + index] = (Math.exp(own) - Math.exp(logarithm)) / batch;
    }
  }
  return { loss, gradient };
}

/** Logarithms of the softmax of `classes` logits from `start` on. */
function logProbabilities(logits: ArrayLike<number>, start: number, classes: number): Float64Array {
  const own = Float64Array.from({ length: classes }, (_, index) => at(logits, start + index));
  const largest = Math.max(...own);
  const offset = largest + Math.log(own.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return own.map((value) => value - offset);
}
