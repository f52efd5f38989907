/**
 * The element at an index that an array is known to have; a negative one counts from the end.
 *
 * @throws RangeError that names the index where it has not: a defect of the program.
 */
export function at<T>(array: ArrayLike<T>, index: number): T {
  const place = index < 0 ? array.length + index : index;
  const element = array[place];
  if (element === undefined && !(place in array)) {
    throw new RangeError(`there is no element ${index} among ${array.length}`);
  }
  // It is there, even where it is undefined.
  return element as T;
}

/** The first element, as {@link at}. */
export const first = <T>(array: ArrayLike<T>): T => at(array, 0);

/** The last element, as {@link at}. */
export const last = <T>(array: ArrayLike<T>): T => at(array, -1);
