import { tuple } from "../../core/tuple.ts";
import type { PoolGeometry } from "../ops.ts";

/**
 * Gradient of max-pooling, for an engine without a kernel for it: the first largest element of each window, row by
 * row, takes the window's gradient. Shapes are [batch, height, width, channels].
 */
export function maxPoolGradient(
  x: ArrayLike<number>,
  shape: readonly number[],
  gradient: ArrayLike<number>,
  pooled: readonly number[],
  { size: [sizeRows, sizeColumns], strides: [down, across] }: PoolGeometry,
): Float32Array {
  const [batch, height, width, channels] = tuple(shape, 4);
  const [, rows, columns] = tuple(pooled, 4);
  const result = new Float32Array(x.length);
  let output = 0;
  for (let image = 0; image < batch; image++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const corner = ((image * height + row * down) * width + column * across) * channels;
        for (let channel = 0; channel < channels; channel++, output++) {
          let largest = corner + channel;
          for (let i = 0; i < sizeRows; i++) {
            for (let j = 0; j < sizeColumns; j++) {
              const index = corner + (i * width + j) * channels + channel;
              if (x[index]! > x[largest]!) largest = index;
            }
          }
          result[largest]! += gradient[output]!;
        }
      }
    }
  }
  return result;
}
