import { tuple } from "../core/tuple.ts";
import type { Conv2dGeometry } from "../engine/ops.ts";
import type { NodeId, Shape } from "../graph/graph.ts";
import { elementsOf } from "../graph/shape.ts";
import { imageShape, windowOutput } from "./windows.ts";

interface Convolution extends Conv2dGeometry {
  readonly id: NodeId;
}

/**
 * What a convolution makes of an image's shape.
 *
 * @throws Error when the image has another number of channels than the weight.
 */
export function convolvedShape(
  convolution: Convolution,
  x: Shape,
  weight: Shape,
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
): Shape {
  const { id } = convolution;
  const image = imageShape(id, x);
  const [height, width] = tuple(weight, 4);
  if (image[2] !== inputs) throw new Error(`${id}: the weight is for ${inputs} channels, the image has ${image[2]}`);
  return [...windowOutput(id, image, { ...convolution, kernel: [height, width] }), outputs];
}

/** Every place of the output takes the whole weight. */
export function convolutionMacs(inputs: readonly Shape[], output: Shape): number {
  const [, weight] = tuple(inputs, 2);
  const [height, width] = tuple(output, 3);
  return elementsOf(weight) * height * width;
}
