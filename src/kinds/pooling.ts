import type { AveragePoolNode, GlobalAveragePoolNode, MaxPoolNode, Padding } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { windowOutput } from "./windows.ts";

/** No element is smaller: padding with it never wins. */
const LOWEST = -3.4e38;

const hasPadding = (padding: Padding) => Object.values(padding).some((size) => size > 0);
const border = (padding: Padding) => ({ padding, channels: [0, 0] as const });

/** Largest of each window. */
export const maxPool: NodeKind<MaxPoolNode> = {
  shape: ({ id, size, stride, padding }, [image]) => [
    ...windowOutput(id, image!, { kernel: [size, size], stride, padding }),
    image![2]!,
  ],
  forward(node, [x], { ops }) {
    const padded = hasPadding(node.padding) ? ops.pad(x!, border(node.padding), LOWEST) : x!;
    const { output, workspace } = ops.maxPool(padded, node);
    return { output, saved: [padded, output, workspace] };
  },
  backward(node, gradient, [padded, output, workspace], { ops }) {
    const pooled = { output: output!, workspace: workspace ?? null };
    const result = ops.maxPoolGradient(padded!, pooled, gradient, node);
    return [hasPadding(node.padding) ? ops.crop(result, border(node.padding)) : result];
  },
};

/** Mean of each window. */
export const averagePool: NodeKind<AveragePoolNode> = {
  shape: ({ id, size, stride }, [image]) => [
    ...windowOutput(id, image!, {
      kernel: [size, size],
      stride,
      padding: { top: 0, bottom: 0, left: 0, right: 0 },
    }),
    image![2]!,
  ],
  forward: (node, [x], { ops }) => ({ output: ops.averagePool(x!, node), saved: [x!] }),
  backward: (node, gradient, [x], { ops }) => [ops.averagePoolGradient(x!.shape, gradient, node)],
};

/** Mean of each channel. */
export const globalAveragePool: NodeKind<GlobalAveragePoolNode> = {
  shape: (_, [image]) => [image!.at(-1)!],
  forward: (_, [x], { ops }) => ({ output: ops.globalAveragePool(x!), saved: [x!] }),
  backward: (_, gradient, [x], { ops }) => [ops.globalAveragePoolGradient(x!.shape, gradient)],
};
