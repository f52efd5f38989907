import { tuple } from "../../../core/tuple.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import type { Operator } from "../translation.ts";

/** Batch normalization with its running statistics. */
export const batchNormalization: Operator = (node, translation) => {
  const { attributes } = node;
  if (attributes.int("training_mode", 0) !== 0) {
    throw new Unsupported("it is in training mode: export the network in evaluation mode (model.eval())");
  }
  const epsilon = attributes.float("epsilon", 1e-5);
  const parameters = [1, 2, 3, 4].map((index) => translation.floats(node, index));
  const x = translation.activation(node, 0, { keepPadding: true });
  const layer = translation.layerBefore(x);
  if (x.axes[0] !== "channels" || x.order !== null)
    throw new Unsupported(`it normalises [batch, ${x.axes.join(", ")}], expected channels first`);
  const { channels } = x.size;
  for (const [index, { dims }] of parameters.entries()) {
    if (dims.length !== 1 || dims[0] !== channels) {
      throw new Damaged(`its input ${index + 2} is [${dims}], expected [${channels}]`);
    }
  }
  const [scale, shift, mean, variance] = tuple(
    parameters.map(({ values }) => Float32Array.from(values)),
    4,
  );
  const id = translation.writer.name(normName(node.inputs[1]) ?? nodeName(node));
  const values = { scale, shift, mean, variance, epsilon };
  const read = layer === null ? translation.activation(node) : x;
  return { ...read, node: translation.writer.batchNorm(id, layer ?? read.node, values) };
};

/** PyTorch's name of the module that a scale belongs to. */
const normName = (scale: string | undefined): string | undefined => /^(.+)\.weight$/.exec(scale ?? "")?.[1];
