import type { Nonlinearity } from "../../../engine/nonlinearity.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Unsupported } from "../problems.ts";
import type { Operator } from "../translation.ts";

/** A function of each element by itself, by the operator of that name. */
const nonlinear =
  (of: (node: OnnxNode) => Nonlinearity): Operator =>
  (node, translation) => {
    const function_ = of(node);
    const x = translation.activation(node);
    const id = translation.writer.name(nodeName(node));
    return { ...x, node: translation.writer.push({ kind: "nonlinear", id, inputs: [x.node], of: function_ }) };
  };

const gelu = ({ attributes }: OnnxNode): Nonlinearity => {
  const approximate = attributes.string("approximate", "none");
  if (approximate === "none") return { kind: "gelu" };
  if (approximate === "tanh") return { kind: "gelu-tanh" };
  throw new Unsupported(`its approximate is "${approximate}", expected "none" or "tanh"`);
};

/** Nonlinearities that ONNX has an operator for. */
export const nonlinearities = {
  Elu: nonlinear(({ attributes }) => ({ kind: "elu", scale: attributes.float("alpha", 1) })),
  Gelu: nonlinear(gelu),
  HardSigmoid: nonlinear(({ attributes }) => ({
    kind: "hard-sigmoid",
    slope: attributes.float("alpha", 0.2),
    offset: attributes.float("beta", 0.5),
  })),
  HardSwish: nonlinear(() => ({ kind: "hard-swish" })),
  LeakyRelu: nonlinear(({ attributes }) => ({ kind: "leaky-relu", slope: attributes.float("alpha", 0.01) })),
  Mish: nonlinear(() => ({ kind: "mish" })),
  Sigmoid: nonlinear(() => ({ kind: "sigmoid" })),
  Softplus: nonlinear(() => ({ kind: "softplus" })),
  Tanh: nonlinear(() => ({ kind: "tanh" })),
} as const satisfies Record<string, Operator>;
