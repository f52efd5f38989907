import { at } from "../core/elements.ts";
import { isOnes } from "../core/pair.ts";
import { tuple } from "../core/tuple.ts";
import type { Conv2dGeometry, Ops, Tensor } from "./ops.ts";

/** The convolutions of an engine and their gradients. */
export type Convolutions = Pick<
  Ops,
  | "conv2d"
  | "conv2dInputGradient"
  | "conv2dWeightGradient"
  | "depthwiseConv2d"
  | "depthwiseConv2dInputGradient"
  | "depthwiseConv2dWeightGradient"
>;

type Primitives = Pick<Ops, "pad" | "gather" | "reshape" | "tensor" | "release">;

/**
 * Convolutions of any geometry, made of `simple` ones whose taps are neighbours, whose outputs read all channels and which,
 * where they are depthwise, step as far down as across. A weight becomes a larger one: zeros stand between its taps, and
 * for the channels of other groups. For engines without kernels for the rest.
 */
export function composedConvolutions(ops: Primitives, simple: Convolutions): Convolutions {
  const enlarged = (weight: Tensor, { shape, places }: Enlarged): Tensor => {
    const from = new Int32Array(elementsOf(shape)).fill(places.length);
    for (const [element, place] of places.entries()) from[place] = element;
    const row = ops.reshape(weight, [1, 1, 1, places.length]);
    const padded = ops.pad(row, { padding: { top: 0, bottom: 0, left: 0, right: 0 }, channels: [0, 1] });
    return picked(padded, from, shape);
  };
  const picked = (row: Tensor, indices: Int32Array, shape: readonly number[]): Tensor => {
    const elements = ops.gather(row, ops.tensor(indices, [indices.length]), 3);
    ops.release(row);
    return ops.reshape(elements, shape);
  };
  /** Convolves with `weight`, or with what it becomes. */
  const withWeight = (
    weight: Tensor,
    groups: number,
    geometry: Conv2dGeometry,
    convolve: (weight: Tensor, geometry: Conv2dGeometry) => Tensor,
  ): Tensor => {
    if (groups === 1 && isOnes(geometry.dilations)) return convolve(weight, geometry);
    const large = enlarged(weight, enlargedWeight(weight.shape, geometry, groups));
    const result = convolve(large, { ...geometry, dilations: [1, 1] });
    ops.release(large);
    return result;
  };
  /** What of the gradient of the larger weight belongs to the weight. */
  const weightGradient = (
    shape: readonly number[],
    groups: number,
    geometry: Conv2dGeometry,
    gradientOf: (shape: readonly number[], geometry: Conv2dGeometry) => Tensor,
  ): Tensor => {
    if (groups === 1 && isOnes(geometry.dilations)) return gradientOf(shape, geometry);
    const large = enlargedWeight(shape, geometry, groups);
    const whole = gradientOf(large.shape, { ...geometry, dilations: [1, 1] });
    const row = ops.reshape(whole, [1, 1, 1, elementsOf(large.shape)]);
    ops.release(whole);
    return picked(row, large.places, shape);
  };

  const composed: Convolutions = {
    conv2d: (x, weight, geometry, bias) =>
      withWeight(weight, groupsOf(x.shape, weight.shape), geometry, (weight, geometry) =>
        simple.conv2d(x, weight, geometry, bias),
      ),
    conv2dInputGradient: (shape, weight, gradient, geometry) =>
      withWeight(weight, groupsOf(shape, weight.shape), geometry, (weight, geometry) =>
        simple.conv2dInputGradient(shape, weight, gradient, geometry),
      ),
    conv2dWeightGradient: (x, shape, gradient, geometry) =>
      weightGradient(shape, groupsOf(x.shape, shape), geometry, (shape, geometry) =>
        simple.conv2dWeightGradient(x, shape, gradient, geometry),
      ),
    depthwiseConv2d: (x, weight, geometry) =>
      stepsAlike(geometry)
        ? withWeight(weight, 1, geometry, (weight, geometry) => simple.depthwiseConv2d(x, weight, geometry))
        : composed.conv2d(x, weight, geometry),
    depthwiseConv2dInputGradient: (shape, weight, gradient, geometry) =>
      stepsAlike(geometry)
        ? withWeight(weight, 1, geometry, (weight, geometry) =>
            simple.depthwiseConv2dInputGradient(shape, weight, gradient, geometry),
          )
        : composed.conv2dInputGradient(shape, weight, gradient, geometry),
    depthwiseConv2dWeightGradient: (x, shape, gradient, geometry) =>
      stepsAlike(geometry)
        ? weightGradient(shape, 1, geometry, (shape, geometry) =>
            simple.depthwiseConv2dWeightGradient(x, shape, gradient, geometry),
          )
        : composed.conv2dWeightGradient(x, shape, gradient, geometry),
  };
  return composed;
}

/** Whether windows step as far down as across, which depthwise kernels ask for. */
export const stepsAlike = ({ strides: [down, across] }: Conv2dGeometry): boolean => down === across;

/** In how many groups an image is convolved with a weight [kernel height, kernel width, in of a group, out]. */
const groupsOf = (image: readonly number[], weight: readonly number[]): number => at(image, -1) / at(weight, -2);

const elementsOf = (shape: readonly number[]): number => shape.reduce((elements, size) => elements * size, 1);

/** A weight with zeros in it: its shape, and where each element of the weight stands. */
interface Enlarged {
  readonly shape: readonly number[];
  readonly places: Int32Array;
}

function enlargedWeight(shape: readonly number[], { dilations }: Conv2dGeometry, groups: number): Enlarged {
  const [height, width, inputs, outputs] = tuple(shape, 4);
  const [down, across] = dilations;
  const [rows, columns, channels] = [(height - 1) * down + 1, (width - 1) * across + 1, inputs * groups];
  const places = new Int32Array(elementsOf(shape));
  let element = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const tap = row * down * columns + column * across;
      for (let input = 0; input < inputs; input++) {
        for (let output = 0; output < outputs; output++, element++) {
          const group = Math.floor((output * groups) / outputs);
          places[element] = (tap * channels + group * inputs + input) * outputs + output;
        }
      }
    }
  }
  return { shape: [rows, columns, channels, outputs], places };
}
