import { applyByKind, type ByKind } from "../core/by-kind.ts";
import { square } from "../core/powers.ts";

type WithoutNumbers =
  | "sigmoid"
  | "tanh"
  | "softplus"
  | "silu"
  | "mish"
  | "hard-swish"
  | "gelu"
  | "gelu-tanh"
  /** The square root, whose slope at 0 counts as 0: that of a norm. */
  | "sqrt"
  /** 1/x. */
  | "reciprocal";

/** A function of each element by itself, besides the ReLU and its limits. */
export type Nonlinearity =
  | { readonly [K in WithoutNumbers]: { readonly kind: K } }[WithoutNumbers]
  /** slope·x + offset, clipped to [0, 1]. */
  | { readonly kind: "hard-sigmoid"; readonly slope: number; readonly offset: number }
  /** x, or slope·x where x is below 0. */
  | { readonly kind: "leaky-relu"; readonly slope: number }
  /** x, or scale·(exp(x) - 1) where x is below 0. */
  | { readonly kind: "elu"; readonly scale: number };

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const clip = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

/** sqrt(2/pi) and the cubic term of GELU's approximation by tanh (Hendrycks and Gimpel, 2016). */
export const geluTanh = { factor: Math.sqrt(2 / Math.PI), cubic: 0.044715 } as const;

const values: ByKind<Nonlinearity, [number], number> = {
  sigmoid: (_, x) => sigmoid(x),
  tanh: (_, x) => Math.tanh(x),
  softplus: (_, x) => softplus(x),
  silu: (_, x) => x * sigmoid(x),
  mish: (_, x) => x * Math.tanh(softplus(x)),
  "hard-swish": (_, x) => (x * clip(x + 3, 0, 6)) / 6,
  gelu: (_, x) => (x * (1 + erf(x * Math.SQRT1_2))) / 2,
  "gelu-tanh": (_, x) => (x * (1 + Math.tanh(geluTanh.factor * x * (1 + geluTanh.cubic * square(x))))) / 2,
  sqrt: (_, x) => Math.sqrt(x),
  reciprocal: (_, x) => 1 / x,
  "hard-sigmoid": ({ slope, offset }, x) => clip(slope * x + offset, 0, 1),
  "leaky-relu": ({ slope }, x) => (x < 0 ? slope * x : x),
  elu: ({ scale }, x) => (x < 0 ? scale * Math.expm1(x) : x),
};

/** The value of one number, in float64. */
export const nonlinearValue = (of: Nonlinearity, x: number): number => applyByKind(values, of, x);

/** Those of which no value is below zero, none for 0 either. */
const positive: { readonly [K in Nonlinearity["kind"]]: boolean } = {
  sigmoid: true,
  tanh: false,
  softplus: true,
  silu: false,
  mish: false,
  "hard-swish": false,
  gelu: false,
  "gelu-tanh": false,
  sqrt: false,
  reciprocal: false,
  "hard-sigmoid": true,
  "leaky-relu": false,
  elu: false,
};

export const isPositive = ({ kind }: Nonlinearity): boolean => positive[kind];

/** No slope is steeper: |f(x)| is at most |f(0)| and so many |x|. Of those that have no bound, the one at x. */
const steepest: ByKind<Nonlinearity, [number], number> = {
  sigmoid: () => 0.25,
  tanh: () => 1,
  softplus: () => 1,
  silu: () => 1.1,
  mish: () => 1.1,
  "hard-swish": () => 1.5,
  gelu: () => 1.13,
  "gelu-tanh": () => 1.13,
  sqrt: (_, x) => 0.5 / Math.sqrt(x),
  reciprocal: (_, x) => 1 / square(x),
  "hard-sigmoid": ({ slope }) => Math.abs(slope),
  "leaky-relu": ({ slope }) => Math.max(1, Math.abs(slope)),
  elu: ({ scale }) => Math.max(1, Math.abs(scale)),
};

export const steepestSlope = (of: Nonlinearity, x: number): number => applyByKind(steepest, of, x);

/** Whether slopes have no bound: near 0. */
export const isSteep = ({ kind }: Nonlinearity): boolean => kind === "sqrt" || kind === "reciprocal";

/** Terms of the series and of the continued fraction of erf that are enough for float64. */
const [SERIES, FRACTION] = [60, 60];

/** The error function (Abramowitz and Stegun, 7.1.6 and 7.1.14). */
function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size < 2.5) {
    let [term, sum] = [size, size];
    for (let n = 1; n < SERIES; n++) {
      term *= (2 * square(size)) / (2 * n + 1);
      sum += term;
    }
    return ((Math.sign(x) * 2) / Math.sqrt(Math.PI)) * sum * Math.exp(-square(size));
  }
  let fraction = size;
  for (let n = FRACTION; n > 0; n--) fraction = size + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-square(size)) / (Math.sqrt(Math.PI) * fraction));
}
