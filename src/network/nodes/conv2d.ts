import type { Conv2dNode, Shape } from "../graph.ts";
import type { NodeKind } from "../node-kind.ts";

/** Convolution of [height, width, in] with [kernel height, kernel width, in, out]. */
export const conv2d: NodeKind<Conv2dNode> = {
  shape({ id, stride, padding }, [image, weight]) {
    const [height, width, channels] = image as [number, number, number];
    const [kernelHeight, kernelWidth, inputs, outputs] = weight as [number, number, number, number];
    if (channels !== inputs) throw new Error(`${id}: the weight is for ${inputs} channels, the image has ${channels}`);
    const rows = Math.floor((height + padding.top + padding.bottom - kernelHeight) / stride) + 1;
    const columns = Math.floor((width + padding.left + padding.right - kernelWidth) / stride) + 1;
    if (rows < 1 || columns < 1) throw new Error(`${id}: an image of ${height}×${width} is smaller than the kernel`);
    return [rows, columns, outputs];
  },
  macs: (_, [, weight], output) => product(weight!) * output[0]! * output[1]!,
  forward: (node, [x, weight], { ops }) => ({ output: ops.conv2d(x!, weight!, node), saved: [x!, weight!] }),
  backward(node, gradient, [x, weight], { ops }, [needsInput]) {
    return [
      needsInput ? ops.conv2dInputGradient(x!.shape, weight!, gradient, node) : null,
      ops.conv2dWeightGradient(x!, weight!.shape, gradient, node),
    ];
  },
};

const product = (shape: Shape) => shape.reduce((total, size) => total * size, 1);
