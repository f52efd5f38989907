import type { Tensor } from "../engine/ops.ts";
import type { AddNode, BiasNode, FlattenNode, InputNode, PadNode, ParameterNode, ReluNode } from "../graph/graph.ts";
import type { NodeKind, Pass } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";

/** A source is never asked for the gradients of its inputs. */
const noInputs = () => [];

/** The batch's images. */
export const input: NodeKind<InputNode> = {
  shape: (_, [image]) => image!,
  forward: (_, __, { images }) => ({ output: images!, saved: [] }),
  backward: noInputs,
};

/** A trained tensor. */
export const parameter: NodeKind<ParameterNode> = {
  shape: ({ shape }) => shape,
  forward: ({ id }, _, pass) => ({ output: pass.parameter(id), saved: [] }),
  backward: noInputs,
};

/** What a bias adds to each channel, and all that its backward needs. */
export function gatedBias({ gate }: BiasNode, values: Tensor, pass: Pass): Tensor {
  const gates = gate === null ? null : pass.channelGates(gate);
  return gates === null ? values : pass.ops.multiply(values, gates);
}

export const bias: NodeKind<BiasNode> = {
  shape: (_, [x]) => x!,
  forward(node, [x, values], pass) {
    const gated = gatedBias(node, values!, pass);
    return { output: pass.ops.addBias(x!, gated), saved: [gated] };
  },
  backward({ gate }, gradient, [gated], pass) {
    const sums = pass.ops.sumPerChannel(gradient);
    if (gate === null) return [gradient, sums];
    if (pass.quantizer(gate).wantsChannels) pass.channels(gate, pass.ops.read(pass.ops.multiply(sums, gated!)));
    const gates = pass.channelGates(gate);
    return [gradient, gates === null ? sums : pass.ops.multiply(sums, gates)];
  },
};

export const relu: NodeKind<ReluNode> = {
  shape: (_, [x]) => x!,
  forward({ limit }, [x], { ops }) {
    if (limit !== null) return { output: ops.cappedRelu(x!, limit), saved: [x!] };
    const output = ops.relu(x!);
    return { output, saved: [output] };
  },
  backward({ limit }, gradient, [saved], { ops }) {
    if (limit !== null) return [ops.rangeMask(saved!, gradient, { signed: false, xMax: limit })];
    return [ops.reluGradient(saved!, gradient)];
  },
};

export const add: NodeKind<AddNode> = {
  shape({ id }, [left, right]) {
    if (`${left}` !== `${right}`) throw new Error(`${id}: adds [${left}] and [${right}], which differ`);
    return left!;
  },
  forward: (_, [left, right], { ops }) => ({ output: ops.add(left!, right!), saved: [] }),
  backward: (_, gradient) => [gradient, gradient],
};

export const pad: NodeKind<PadNode> = {
  shape({ padding: { top, bottom, left, right }, channels: [before, after] }, [image]) {
    const [height, width, channels] = image as [number, number, number];
    return [height + top + bottom, width + left + right, channels + before + after];
  },
  forward: (node, [x], { ops }) => ({ output: ops.pad(x!, node), saved: [] }),
  backward: (node, gradient, _, { ops }) => [ops.crop(gradient, node)],
};

/** [height, width, channels] to one row, channels fastest. */
export const flatten: NodeKind<FlattenNode> = {
  shape: (_, [image]) => [elementsOf(image!)],
  forward(_, [x], { ops }) {
    const [batch, ...image] = x!.shape as [number, ...number[]];
    return { output: ops.reshape(x!, [batch, elementsOf(image)]), saved: [x!] };
  },
  backward: (_, gradient, [x], { ops }) => [ops.reshape(gradient, x!.shape)],
};
