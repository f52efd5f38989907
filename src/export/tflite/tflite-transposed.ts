import { UserError } from "../../core/errors.ts";
import { isOnes, type Pair } from "../../core/pair.ts";
import { tuple } from "../../core/tuple.ts";
import type { Padding } from "../../graph/graph.ts";
import type { FrozenConvTranspose } from "../frozen-network.ts";
import { type TensorGrid, TensorType, type TfliteBuilder } from "./tflite-builder.ts";
import { optionsOf } from "./tflite-options.ts";

interface Spread {
  readonly name: string;
  /** Without the batch. */
  readonly shape: readonly number[];
}

interface Images extends Spread {
  /** Of codes; undefined: float32. */
  readonly grid: TensorGrid | undefined;
}

/**
 * Adds zeros behind each pixel of an image, as many as make its strides: a transposed convolution is an ordinary one over
 * that. TRANSPOSE_CONV would want the number of images in a constant.
 */
export function spreadPixels(
  builder: TfliteBuilder,
  { id, strides }: Pick<FrozenConvTranspose, "id" | "strides">,
  { name, shape, grid }: Images,
): Spread {
  if (isOnes(strides)) return { name, shape };
  const [height, width, channels] = tuple(shape, 3);
  const [down, across] = strides;
  const value = (ending: string, shape: readonly number[]) =>
    builder.value(`${id}.${ending}`, grid === undefined ? { shape } : { shape, grid, type: TensorType.INT8 });
  const reshape = (input: string, ending: string, shape: readonly number[]) => {
    const sizes = [-1, ...shape];
    const wanted = builder.int32s(`${id}.${ending}.shape`, sizes);
    return builder.operator("Reshape", [input, wanted], value(ending, shape), optionsOf.reshape(sizes));
  };
  const behind = (input: string, ending: string, [places, size, last]: readonly [number, number, number]) => {
    const sizes = builder.int32s(`${id}.${ending}.sizes`, [0, 0, 0, 0, 0, size - 1, 0, 0], [4, 2]);
    return builder.operator("Pad", [input, sizes], value(ending, [places, size, last]));
  };
  const pixels = reshape(name, "pixels", [height * width, 1, channels]);
  const columns = behind(pixels, "columns", [height * width, across, channels]);
  const lines = reshape(columns, "lines", [height, 1, width * across * channels]);
  const rows = behind(lines, "rows", [height, down, width * across * channels]);
  const wide = [height * down, width * across, channels];
  return { name: reshape(rows, "spread", wide), shape: wide };
}

/**
 * The zeros around a spread image.
 *
 * @throws UserError where the spread image would have to be cut.
 */
export function paddingAround({ id, strides, padding, outputPadding, weight }: FrozenConvTranspose): Padding {
  const around = (axis: 0 | 1, before: number, after: number): Pair => {
    const reach = (weight.shape[axis] ?? 1) - 1;
    return [reach - before, reach - after + outputPadding[axis] - (strides[axis] - 1)];
  };
  const [top, bottom] = around(0, padding.top, padding.bottom);
  const [left, right] = around(1, padding.left, padding.right);
  if (Math.min(top, bottom, left, right) < 0) {
    throw new UserError(
      `cannot export ${id} as TensorFlow Lite: its padding cuts whole pixels off; take one of the ONNX forms`,
    );
  }
  return { top, bottom, left, right };
}
