import type { ByKind } from "../core/by-kind.ts";
import { at, first, last } from "../core/elements.ts";
import { tuple } from "../core/tuple.ts";
import { isSteep, nonlinearValue, steepestSlope } from "../engine/nonlinearity.ts";
import { PADDING } from "../kinds/masked-mean.ts";
import { type Elements, type ReadExactly, repeatedPlace } from "./exact-elements.ts";
import { sequenceRules } from "./exact-sequences.ts";
import { convolution, interpolated, pooled, type Terms, transposedConvolution, windowPlace } from "./exact-windows.ts";
import type {
  FrozenCodedEmbedding,
  FrozenConvolution,
  FrozenConvTranspose,
  FrozenEmbedding,
  FrozenLayer,
  FrozenNode,
} from "./frozen-network.ts";

/** A node with a weight, or a table that is looked up. */
export type WithTable = FrozenLayer | FrozenEmbedding | FrozenCodedEmbedding;

/** What a node's rule finds. */
interface Exact extends ReadExactly {
  /** A number as a term of a sum: its absolute value where magnitudes are wanted. */
  term(value: number): number;
  /** The terms of a layer's weight. */
  weightOf(node: WithTable): Float32Array;
}

/** The elements of each kind of node, in float64. */
export const elementRules: ByKind<FrozenNode, [Exact], Elements> = {
  input: unknown,
  conv2d: (node, exact) => convolution(node, withTerms(node, exact), node.groups),
  "depthwise-conv2d": (node, exact) => convolution(node, withTerms(node, exact), last(node.weight.shape)),
  "conv-transpose": (node, exact) => transposedConvolution(node, withTerms(node, exact)),
  dense(node, exact) {
    const { elements: x } = first(exact.inputs);
    const weights = exact.weightOf(node);
    const [inputs, outputs] = tuple(node.weight.shape, 2);
    return (index) => {
      const [row, output] = [Math.floor(index / outputs), index % outputs];
      let sum = exact.term(at(node.bias, output));
      for (let input = 0; input < inputs; input++)
        sum += x(row * inputs + input) * at(weights, input * outputs + output);
      return sum;
    };
  },
  embedding: lookedUp,
  "coded-embedding": lookedUp,
  affine({ outputShape, scale, shift, shape }, { inputs, term }) {
    const { elements: x } = first(inputs);
    const placeOf = repeatedPlace(shape, outputShape);
    return (index) => x(index) * term(at(scale, placeOf(index))) + term(at(shift, placeOf(index)));
  },
  "max-pool": (node, { inputs }) => pooled(node, first(inputs), (taps) => Math.max(...taps)),
  "average-pool": (node, { inputs }) =>
    pooled(node, first(inputs), (taps) => taps.reduce((sum, value) => sum + value, 0) / taps.length),
  resize: (node, { inputs, magnitudes }) => interpolated(node, first(inputs), magnitudes),
  "global-average-pool"(_, { inputs }) {
    const { elements: x, shape } = first(inputs);
    const [height, width, channels] = tuple(shape, 3);
    return (index) => {
      let sum = 0;
      for (let pixel = 0; pixel < height * width; pixel++) sum += x(pixel * channels + index);
      return sum / (height * width);
    };
  },
  "masked-mean"(_, { inputs }) {
    const [{ elements: tokens }, { elements: x, shape }] = tuple(inputs, 2);
    const [length, units] = tuple(shape, 2);
    return (index) => {
      let sum = 0;
      let count = 0;
      for (let at = 0; at < length; at++) {
        if (tokens(at) === PADDING) continue;
        count++;
        sum += x(at * units + index);
      }
      return sum / Math.max(1, count);
    };
  },
  relu({ limit }, { inputs, magnitudes }) {
    const { elements: x } = first(inputs);
    // Capped, a sum of magnitudes would hide terms that cancel out below the limit.
    if (limit === null || magnitudes) return (index) => Math.max(0, x(index));
    return (index) => Math.min(limit, Math.max(0, x(index)));
  },
  nonlinear({ of }, { inputs, magnitudes }) {
    const { elements: x, exact } = first(inputs);
    if (!magnitudes) return (index) => nonlinearValue(of, x(index));
    return (index) => {
      const place = isSteep(of) ? exact(index) : 0;
      const moved = x(index);
      return Math.abs(nonlinearValue(of, place)) + (moved === 0 ? 0 : steepestSlope(of, place) * moved);
    };
  },
  add: (node, { inputs }) => ofBoth(node, inputs, (a, b) => a + b),
  multiply: (node, { inputs }) => ofBoth(node, inputs, (a, b) => a * b),
  concat({ outputShape }, { inputs }) {
    const channels = last(outputShape);
    return (index) => {
      const row = Math.floor(index / channels);
      let channel = index % channels;
      for (const { elements, shape } of inputs) {
        const own = last(shape);
        if (channel < own) return elements(row * own + channel);
        channel -= own;
      }
      throw new Error(`a channel of ${channels} past the last of what stands side by side`);
    };
  },
  pad({ outputShape, padding, channels: [before] }, { inputs }) {
    const { elements: x, shape } = first(inputs);
    const [, columns, channels] = tuple(outputShape, 3);
    return (index) => {
      const [row, column, channel] = windowPlace(index, columns, channels);
      const from = [row - padding.top, column - padding.left, channel - before] as const;
      if (from.some((at, axis) => at < 0 || at >= shape[axis]!)) return 0;
      return x((from[0] * at(shape, 1) + from[1]) * at(shape, 2) + from[2]);
    };
  },
  select({ channels }, { inputs }) {
    const { elements: x, shape } = first(inputs);
    const [kept, all] = [channels.length, last(shape)];
    return (index) => x(Math.floor(index / kept) * all + channels[index % kept]!);
  },
  flatten: (_, { inputs }) => first(inputs).elements,
  ...sequenceRules,
  quantizer: unknown,
};

/** What a convolution multiplies and adds up. */
const withTerms = (node: FrozenConvolution | FrozenConvTranspose, { inputs, term, weightOf }: Exact): Terms => ({
  image: first(inputs),
  weights: weightOf(node),
  bias: (output) => term(at(node.bias, output)),
});

function lookedUp(node: FrozenEmbedding | FrozenCodedEmbedding, { inputs, weightOf }: Exact): Elements {
  const { elements: tokens } = first(inputs);
  const table = weightOf(node);
  const units = last(node.outputShape);
  return (index) => at(table, tokens(Math.floor(index / units)) * units + (index % units));
}

/** Elements of two values that meet, aligned at their channels. */
function ofBoth(
  { outputShape }: FrozenNode,
  inputs: Exact["inputs"],
  join: (a: number, b: number) => number,
): Elements {
  const [x, y] = tuple(
    inputs.map(({ elements, shape }): Elements => {
      const placeOf = repeatedPlace(shape, outputShape);
      return (index) => elements(placeOf(index));
    }),
    2,
  );
  return (index) => join(x(index), y(index));
}

function unknown({ id }: FrozenNode): never {
  throw new Error(`${id}: its value must be known`);
}
