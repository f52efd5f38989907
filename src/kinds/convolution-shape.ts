import type { NodeId, Padding, Shape } from "../graph/graph.ts";
import { elementsOf } from "../graph/shape.ts";
import { imageShape, windowOutput } from "./windows.ts";

interface Convolution {
  readonly id: NodeId;
  readonly stride: number;
  readonly padding: Padding;
}

/**
 * What a convolution makes of an image's shape.
 *
 * @throws Error when the image has another number of channels than the weight.
 */
export function convolvedShape(
  { id, stride, padding }: Convolution,
  x: Shape,
  [height, width]: Shape,
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
): Shape {
  const image = imageShape(id, x);
  if (image[2] !== inputs) throw new Error(`${id}: the weight is for ${inputs} channels, the image has ${image[2]}`);
  return [...windowOutput(id, image, { kernel: [height!, width!], stride, padding }), outputs];
}

/** Every place of the output takes the whole weight. */
export const convolutionMacs = ([, weight]: readonly Shape[], [height, width]: Shape): number =>
  elementsOf(weight!) * height! * width!;
