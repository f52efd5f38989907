export const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** Share of the values for which `holds` does. */
export function share(values: Int32Array | Float32Array, holds: (value: number, index: number) => boolean): number {
  let count = 0;
  for (let index = 0; index < values.length; index++) if (holds(values[index]!, index)) count++;
  return count / values.length;
}
