/** Numbers of a tensor with its axes in another order: axis i of the result is axis `order[i]` of `dims`. */
export function permute(values: Float32Array, dims: readonly number[], order: readonly number[]): Float32Array {
  const steps = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, size) => product * size, 1));
  const sizes = order.map((axis) => dims[axis]!);
  const strides = order.map((axis) => steps[axis]!);
  const result = new Float32Array(values.length);
  const position = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = values[from]!;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      position[axis]!++;
      if (position[axis]! < sizes[axis]!) break;
      from -= strides[axis]! * sizes[axis]!;
      position[axis] = 0;
    }
  }
  return result;
}
