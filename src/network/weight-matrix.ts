import { at, last } from "../core/elements.ts";
import type { WeightMatrix } from "../quantization/weight-grid.ts";
import type { Layer } from "./layers.ts";

/**
 * Where the elements of a layer's weight stand in the matrix that post-training methods work on: for each element of
 * [outputs, inputs · kernel rows · kernel columns], its index in the graph's tensor, whose last axis are the outputs. The
 * inputs are those of a group: a depthwise convolution has one for each output. A transposed convolution is the one that
 * reads its pixels with zeros between them: its taps come from the last to the first.
 */
function matrixOrder({ kind, weightShape }: Layer): { readonly outputs: number; readonly order: Int32Array } {
  const outputs = last(weightShape);
  const inputs = at(weightShape, -2);
  const [rows, columns] = kind === "dense" ? [1, 1] : [at(weightShape, 0), at(weightShape, 1)];
  const taps = rows * columns;
  const order = new Int32Array(outputs * inputs * taps);
  let position = 0;
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      for (let place = 0; place < taps; place++) {
        const tap = kind === "conv-transpose" ? taps - 1 - place : place;
        order[position++] = (tap * inputs + input) * outputs + output;
      }
    }
  }
  return { outputs, order };
}

/** A layer's weight, output channel first. */
export function matrixOf(layer: Layer, weight: Float32Array): WeightMatrix {
  const { outputs, order } = matrixOrder(layer);
  return { values: Float32Array.from(order, (index) => weight[index]!), outputs, inputs: order.length / outputs };
}

/** The inverse: the graph's tensor of values that stand as `matrixOf` puts them. */
export function weightOf<Values extends Float32Array | Uint32Array>(layer: Layer, matrix: Values): Values {
  const { order } = matrixOrder(layer);
  // A typed array's slice is of its kind.
  const weight = matrix.slice() as Values;
  order.forEach((index, position) => {
    weight[index] = at(matrix, position);
  });
  return weight;
}
