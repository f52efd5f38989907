import { at } from "../../core/elements.ts";
import { square } from "../../core/powers.ts";

/**
 * The Kullback-Leibler divergence of a student's classes from a teacher's at a temperature T, times T², which keeps the
 * gradient's size (Hinton et al. 2015): T²·Σ_i t_i·log(t_i/s_i), with s and t the softmax of logits over T; the mean over
 * rows, and its gradient by the student's logits, T·(s - t)/rows.
 *
 * @param student Logits, [rows, classes].
 * @param teacher Logits of the same samples.
 */
export function divergenceFrom(
  teacher: ArrayLike<number>,
  student: ArrayLike<number>,
  { classes, temperature }: { readonly classes: number; readonly temperature: number },
): { readonly loss: number; readonly gradient: Float32Array } {
  const rows = student.length / classes;
  const gradient = new Float32Array(student.length);
  let loss = 0;
  for (let start = 0; start < student.length; start += classes) {
    const wanted = logProbabilities(teacher, { start, classes, temperature });
    for (const [index, own] of logProbabilities(student, { start, classes, temperature }).entries()) {
      const logarithm = at(wanted, index);
      loss += Math.exp(logarithm) * (logarithm - own);
      gradient[start + index] = (temperature * (Math.exp(own) - Math.exp(logarithm))) / rows;
    }
  }
  return { loss: (square(temperature) * loss) / rows, gradient };
}

/** Logarithms of the softmax of `classes` logits from `start` on. */
function logProbabilities(
  logits: ArrayLike<number>,
  { start, classes, temperature }: { readonly start: number; readonly classes: number; readonly temperature: number },
): Float64Array {
  const own = Float64Array.from({ length: classes }, (_, index) => at(logits, start + index) / temperature);
  const largest = Math.max(...own);
  const offset = largest + Math.log(own.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return own.map((value) => value - offset);
}
