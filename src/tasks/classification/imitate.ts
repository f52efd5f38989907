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
    const [s, t] = [student, teacher].map((logits) => logProbabilities(logits, start, classes));
    for (let index = 0; index < classes; index++) {
      const [own, wanted] = [s![index]!, t![index]!];
      loss += (Math.exp(wanted) * (wanted - own)) / batch;
      gradient[start + index] = (Math.exp(own) - Math.exp(wanted)) / batch;
    }
  }
  return { loss, gradient };
}

/** Logarithms of the softmax of `classes` logits from `start` on. */
function logProbabilities(logits: ArrayLike<number>, start: number, classes: number): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < classes; index++) largest = Math.max(largest, logits[start + index]!);
  let sum = 0;
  for (let index = 0; index < classes; index++) sum += Math.exp(logits[start + index]! - largest);
  const offset = largest + Math.log(sum);
  return Float64Array.from({ length: classes }, (_, index) => logits[start + index]! - offset);
}
