import type { Nonlinearity } from "../../../engine/nonlinearity.ts";
import { nonlinearValue } from "../../../engine/nonlinearity.ts";
import type { OnnxNode } from "../model-graph.ts";
import { Unsupported } from "../problems.ts";
import type { Operator } from "../translation.ts";
import { mapped } from "./arithmetic-operators.ts";
import { nonlinearOf } from "./element-nodes.ts";

/** A function of each element by itself, by the operator of that name. */
const nonlinear =
  (of: (node: OnnxNode) => Nonlinearity): Operator =>
  (node, translation) => {
    const function_ = of(node);
    return nonlinearOf(node, translation, translation.activation(node), function_);
  };

/** The same of what may be a constant. */
const ofAny =
  (of: Nonlinearity): Operator =>
  (node, translation) =>
    translation.isConstant(node, 0)
      ? mapped(translation, translation.constant(node, 0), (x) => nonlinearValue(of, x))
      : nonlinearOf(node, translation, translation.activation(node), of);

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
  Reciprocal: ofAny({ kind: "reciprocal" }),
  Sigmoid: nonlinear(() => ({ kind: "sigmoid" })),
  Softplus: nonlinear(() => ({ kind: "softplus" })),
  Sqrt: ofAny({ kind: "sqrt" }),
  Tanh: nonlinear(() => ({ kind: "tanh" })),
} as const satisfies Record<string, Operator>;
