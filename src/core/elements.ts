/**
 * The element at an index that an array is known to have.
 *
 * @throws RangeError that names the index where it has not: a defect of the program.
 */
export function at<T>(array: ArrayLike<T>, index: number): T {
  const element = array[index];
  if (element === undefined && !(index in array)) {
    throw new RangeError(`there is no element ${index} among ${array.length}`);
  }
  return element as T;
}

/** The first element, as {@link at}. */
export const first = <T>(array: ArrayLike<T>): T => at(array, 0);

/** The last element, as {@link at}. */
export const last = <T>(array: ArrayLike<T>): T => at(array, array.length - 1);
