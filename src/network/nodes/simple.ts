import type { BiasNode, FlattenNode, InputNode, MaxPoolNode, ParameterNode, ReluNode } from "../graph.ts";
import type { NodeKind } from "../node-kind.ts";

/** A source is never asked for the gradients of its inputs. */
const noInputs = () => [];

/** The batch's images. */
export const input: NodeKind<InputNode> = {
  shape: (_, [image]) => image!,
  forward: (_, __, { images }) => ({ output: images, saved: [] }),
  backward: noInputs,
};

/** A trained tensor. */
export const parameter: NodeKind<ParameterNode> = {
  shape: ({ shape }) => shape,
  forward: ({ id }, _, pass) => ({ output: pass.parameter(id), saved: [] }),
  backward: noInputs,
};

export const bias: NodeKind<BiasNode> = {
  shape: (_, [x]) => x!,
  forward: (_, [x, values], { ops }) => ({ output: ops.addBias(x!, values!), saved: [] }),
  backward: (_, gradient, __, { ops }) => [gradient, ops.sumPerChannel(gradient)],
};

export const relu: NodeKind<ReluNode> = {
  shape: (_, [x]) => x!,
  forward(_, [x], { ops }) {
    const output = ops.relu(x!);
    return { output, saved: [output] };
  },
  backward: (_, gradient, [output], { ops }) => [ops.reluGradient(output!, gradient)],
};

/** Largest of each window; windows that would reach past the border are left out. */
export const maxPool: NodeKind<MaxPoolNode> = {
  shape({ size, stride }, [image]) {
    const [height, width, channels] = image as [number, number, number];
    return [Math.floor((height - size) / stride) + 1, Math.floor((width - size) / stride) + 1, channels];
  },
  forward(node, [x], { ops }) {
    const { output, workspace } = ops.maxPool(x!, node);
    return { output, saved: [x!, output, workspace] };
  },
  backward(node, gradient, [x, output, workspace], { ops }) {
    return [ops.maxPoolGradient(x!, { output: output!, workspace: workspace ?? null }, gradient, node)];
  },
};

/** [height, width, channels] to one row, channels fastest. */
export const flatten: NodeKind<FlattenNode> = {
  shape: (_, [image]) => [image!.reduce((total, size) => total * size, 1)],
  forward(_, [x], { ops }) {
    const [batch, ...image] = x!.shape as [number, ...number[]];
    return { output: ops.reshape(x!, [batch, image.reduce((total, size) => total * size, 1)]), saved: [x!] };
  },
  backward: (_, gradient, [x], { ops }) => [ops.reshape(gradient, x!.shape)],
};
