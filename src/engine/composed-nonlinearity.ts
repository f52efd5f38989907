import { applyByKind, type ByKind } from "../core/by-kind.ts";
import { geluTanh, type Nonlinearity } from "./nonlinearity.ts";
import type { Ops, Tensor } from "./ops.ts";

/** What nonlinearities are made of where an engine has no kernel of its own for them. */
export interface NonlinearParts {
  sigmoid(x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
  erf(x: Tensor): Tensor;
  exp(x: Tensor): Tensor;
  softplus(x: Tensor): Tensor;
  sqrt(x: Tensor): Tensor;
  reciprocal(x: Tensor): Tensor;
  /** x clipped to [low, high]. */
  clip(x: Tensor, low: number, high: number): Tensor;
  /** 1 where x lies within (low, high), else 0. */
  within(x: Tensor, low: number, high: number): Tensor;
  /** 1 where x is above 0, else 0. */
  isAbove(x: Tensor): Tensor;
  /** factor·x + summand. */
  line(x: Tensor, factor: number, summand: number): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  multiply(a: Tensor, b: Tensor): Tensor;
}

/** s·(1 - s). */
const sigmoidSlope = ({ multiply, line }: NonlinearParts, s: Tensor): Tensor => multiply(s, line(s, -1, 1));

/** 1 - t². */
const tanhSlope = ({ multiply, line }: NonlinearParts, t: Tensor): Tensor => line(multiply(t, t), -1, 1);

/** What tanh is taken of in GELU's approximation. */
const tanhArgument = (x: Tensor, { multiply, line }: NonlinearParts): Tensor =>
  multiply(x, line(multiply(x, x), geluTanh.factor * geluTanh.cubic, geluTanh.factor));

const FAR = 3.4e38;
/** The reciprocal of a root that is smaller would be infinite, or near it. */
const TINY = 1e-30;
const below = (x: Tensor, { clip }: NonlinearParts): Tensor => clip(x, -FAR, 0);
const above = (x: Tensor, { clip }: NonlinearParts): Tensor => clip(x, 0, FAR);

/** What multiplies x in the nonlinearities that are x·gate(x). */
type Gated = Extract<Nonlinearity, { readonly kind: "silu" | "mish" | "hard-swish" | "gelu" | "gelu-tanh" }>;

const gates: ByKind<Gated, [Tensor, NonlinearParts], Tensor> = {
  silu: (_, x, { sigmoid }) => sigmoid(x),
  mish: (_, x, { tanh, softplus }) => tanh(softplus(x)),
  "hard-swish": (_, x, { clip, line }) => clip(line(x, 1 / 6, 0.5), 0, 1),
  gelu: (_, x, { erf, line }) => line(erf(line(x, Math.SQRT1_2, 0)), 0.5, 0.5),
  "gelu-tanh": (_, x, parts) => parts.line(parts.tanh(tanhArgument(x, parts)), 0.5, 0.5),
};

/** Derivatives of the gates, given their values. */
const gateSlopes: ByKind<Gated, [Tensor, NonlinearParts, Tensor], Tensor> = {
  silu: (_, _x, parts, gate) => sigmoidSlope(parts, gate),
  mish: (_, x, parts, gate) => parts.multiply(tanhSlope(parts, gate), parts.sigmoid(x)),
  "hard-swish": (_, x, { within, line }) => line(within(x, -3, 3), 1 / 6, 0),
  gelu: (_, x, { exp, multiply, line }) => line(exp(line(multiply(x, x), -0.5, 0)), 1 / Math.sqrt(2 * Math.PI), 0),
  "gelu-tanh"(_, x, parts, gate) {
    const byArgument = tanhSlope(parts, parts.line(gate, 2, -1));
    const argument = parts.line(parts.multiply(x, x), 3 * geluTanh.factor * geluTanh.cubic, geluTanh.factor);
    return parts.line(parts.multiply(byArgument, argument), 0.5, 0);
  },
};

const gated = (of: Gated, x: Tensor, parts: NonlinearParts): Tensor =>
  parts.multiply(x, applyByKind(gates, of, x, parts));

function gatedSlope(of: Gated, x: Tensor, parts: NonlinearParts): Tensor {
  const gate = applyByKind(gates, of, x, parts);
  return parts.add(gate, parts.multiply(x, applyByKind(gateSlopes, of, x, parts, gate)));
}

const values: ByKind<Nonlinearity, [Tensor, NonlinearParts], Tensor> = {
  sigmoid: (_, x, { sigmoid }) => sigmoid(x),
  tanh: (_, x, { tanh }) => tanh(x),
  softplus: (_, x, { softplus }) => softplus(x),
  silu: gated,
  mish: gated,
  "hard-swish": gated,
  gelu: gated,
  "gelu-tanh": gated,
  sqrt: (_, x, { sqrt }) => sqrt(x),
  reciprocal: (_, x, { reciprocal }) => reciprocal(x),
  "hard-sigmoid": ({ slope, offset }, x, { clip, line }) => clip(line(x, slope, offset), 0, 1),
  "leaky-relu": ({ slope }, x, parts) => parts.add(above(x, parts), parts.line(below(x, parts), slope, 0)),
  elu: ({ scale }, x, parts) => parts.add(above(x, parts), parts.line(parts.exp(below(x, parts)), scale, -scale)),
};

/** Derivatives by x. */
const slopes: ByKind<Nonlinearity, [Tensor, NonlinearParts], Tensor> = {
  sigmoid: (_, x, parts) => sigmoidSlope(parts, parts.sigmoid(x)),
  tanh: (_, x, parts) => tanhSlope(parts, parts.tanh(x)),
  softplus: (_, x, { sigmoid }) => sigmoid(x),
  silu: gatedSlope,
  mish: gatedSlope,
  "hard-swish": gatedSlope,
  gelu: gatedSlope,
  "gelu-tanh": gatedSlope,
  sqrt(_, x, { sqrt, reciprocal, isAbove, clip, line, multiply }) {
    const slope = line(reciprocal(clip(sqrt(x), TINY, FAR)), 0.5, 0);
    return multiply(slope, isAbove(x));
  },
  reciprocal(_, x, { reciprocal, line, multiply }) {
    const inverse = reciprocal(x);
    return line(multiply(inverse, inverse), -1, 0);
  },
  "hard-sigmoid": ({ slope, offset }, x, { within, line }) => line(within(line(x, slope, offset), 0, 1), slope, 0),
  "leaky-relu": ({ slope }, x, { isAbove, line }) => line(isAbove(x), 1 - slope, slope),
  elu({ scale }, x, parts) {
    const ofAbove = parts.isAbove(x);
    const ofBelow = parts.line(parts.exp(below(x, parts)), scale, 0);
    return parts.add(ofAbove, parts.multiply(parts.line(ofAbove, -1, 1), ofBelow));
  },
};

/** Nonlinearities and their gradients made of simpler operations. What they make on the way is the caller's scope's. */
export const composedNonlinearity = (parts: NonlinearParts): Pick<Ops, "nonlinear" | "nonlinearGradient"> => ({
  nonlinear: (x, of) => applyByKind(values, of, x, parts),
  nonlinearGradient: (x, gradient, of) => parts.multiply(gradient, applyByKind(slopes, of, x, parts)),
});
