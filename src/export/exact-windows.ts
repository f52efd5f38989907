import { at, first, last } from "../core/elements.ts";
import type { Pair } from "../core/pair.ts";
import { tuple } from "../core/tuple.ts";
import type { Conv2dGeometry } from "../engine/ops.ts";
import { tapsOf as tapsOfPlace } from "../kinds/resize.ts";
import type { Elements, ReadExactly } from "./exact-elements.ts";
import type { FrozenConvolution, FrozenConvTranspose } from "./frozen-network.ts";
import type { FrozenMaxPool, FrozenResize } from "./frozen-pools.ts";

type ReadElements = ReadExactly["inputs"][number];

/** What a convolution multiplies and adds up. */
export interface Terms {
  readonly image: ReadElements;
  readonly weights: Float32Array;
  bias(output: number): number;
}

/** In as many groups of output channels. */
export function convolution(node: FrozenConvolution, { image, weights, bias }: Terms, groups: number): Elements {
  const { elements: x, shape } = image;
  const [height, width, inputs, outputs] = tuple(node.weight.shape, 4);
  const channels = last(shape);
  return (index) => {
    const [row, column, output] = windowPlace(index, at(node.outputShape, 1), outputs);
    const from = Math.floor((output * groups) / outputs) * inputs;
    let sum = bias(output);
    for (const { tap, pixel } of tapsOf({ ...node, size: [height, width] }, [row, column], shape)) {
      for (let input = 0; input < inputs; input++) {
        sum += x(pixel * channels + from + input) * at(weights, (tap * inputs + input) * outputs + output);
      }
    }
    return sum;
  };
}

export function transposedConvolution(node: FrozenConvTranspose, { image, weights, bias }: Terms): Elements {
  const { elements: x, shape } = image;
  const { strides, padding } = node;
  const [height, width, inputs, outputs] = tuple(node.weight.shape, 4);
  const [rows, columns] = tuple(shape, 3);
  /** The pixel along an axis whose window has its tap at a place of the output; null: none. */
  const pixelAt = (place: number, tap: number, stride: number, size: number): number | null => {
    const pixel = (place - tap) / stride;
    return Number.isInteger(pixel) && pixel >= 0 && pixel < size ? pixel : null;
  };
  return (index) => {
    const [row, column, output] = windowPlace(index, at(node.outputShape, 1), outputs);
    let sum = bias(output);
    for (let tap = 0; tap < height * width; tap++) {
      const down = pixelAt(row + padding.top, Math.floor(tap / width), strides[0], rows);
      const across = pixelAt(column + padding.left, tap % width, strides[1], columns);
      if (down === null || across === null) continue;
      const pixel = (down * columns + across) * inputs;
      for (let input = 0; input < inputs; input++) {
        sum += x(pixel + input) * at(weights, (tap * inputs + input) * outputs + output);
      }
    }
    return sum;
  };
}

/** Of the taps of each window that lie inside the image. */
export function pooled(
  { outputShape, ...windows }: Pick<FrozenMaxPool, "size" | "strides" | "padding" | "outputShape">,
  { elements: x, shape }: ReadElements,
  combine: (taps: readonly number[]) => number,
): Elements {
  const [, columns, channels] = tuple(outputShape, 3);
  return (index) => {
    const [row, column, channel] = windowPlace(index, columns, channels);
    return combine(
      tapsOf({ ...windows, dilations: [1, 1] }, [row, column], shape).map(({ pixel }) => x(pixel * channels + channel)),
    );
  };
}

/** @param magnitudes A share may be off by what a place far from the first one is rounded by: the largest counts whole. */
export function interpolated(node: FrozenResize, { elements: x, shape }: ReadElements, magnitudes: boolean): Elements {
  const [height, width, channels] = tuple(shape, 3);
  const taps = tapsOfPlace([height, width], node);
  return (index) => {
    const [row, column, channel] = windowPlace(index, node.size[1], channels);
    const terms = taps(row, column).map(({ pixel, share }) => ({ value: x(pixel * channels + channel), share }));
    if (magnitudes) return Math.max(...terms.map(({ value }) => value));
    return terms.reduce((sum, { value, share }) => sum + value * share, 0);
  };
}

/** Row, column and channel of an element. */
export const windowPlace = (index: number, columns: number, channels: number): readonly [number, number, number] => {
  const pixel = Math.floor(index / channels);
  return [Math.floor(pixel / columns), pixel % columns, index % channels];
};

interface Windows extends Conv2dGeometry {
  readonly size: Pair;
}

/** The taps of the window at a place of the output that lie inside the image: their index in the window and in the image. */
function tapsOf(
  { size: [height, width], strides, dilations, padding }: Windows,
  [row, column]: Pair,
  shape: readonly number[],
): { tap: number; pixel: number }[] {
  const taps = [];
  for (let dy = 0; dy < height; dy++) {
    for (let dx = 0; dx < width; dx++) {
      const y = row * strides[0] + dy * dilations[0] - padding.top;
      const x = column * strides[1] + dx * dilations[1] - padding.left;
      if (y < 0 || x < 0 || y >= first(shape) || x >= at(shape, 1)) continue;
      taps.push({ tap: dy * width + dx, pixel: y * at(shape, 1) + x });
    }
  }
  return taps;
}
