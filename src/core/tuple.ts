/** Tuples of equal elements, by their length. */
interface Tuples<T> {
  readonly 1: readonly [T];
  readonly 2: readonly [T, T];
  readonly 3: readonly [T, T, T];
  readonly 4: readonly [T, T, T, T];
  readonly 5: readonly [T, T, T, T, T];
  readonly 6: readonly [T, T, T, T, T, T];
}

/**
 * A list that is known to have so many elements, as a tuple.
 *
 * @throws RangeError where it has another number: a defect of the program.
 */
export function tuple<T, N extends keyof Tuples<T>>(list: Iterable<T> & ArrayLike<T>, length: N): Tuples<T>[N] {
  if (list.length !== length) throw new RangeError(`expected ${length} elements, there are ${list.length}`);
  // A list of this length is that tuple; the compiler cannot count.
  return list as unknown as Tuples<T>[N];
}
