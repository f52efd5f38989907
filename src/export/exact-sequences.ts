import type { ByKind } from "../core/by-kind.ts";
import { at, first, last } from "../core/elements.ts";
import { square } from "../core/powers.ts";
import { tuple } from "../core/tuple.ts";
import { elementsOf } from "../graph/shape.ts";
import { PADDING } from "../kinds/masked-mean.ts";
import { NO_SHARE } from "../kinds/masked-softmax.ts";
import { permuted, placesOf } from "../network/onnx/strided.ts";
import type { Elements, ReadExactly } from "./exact-elements.ts";
import type { FrozenSequence } from "./frozen-sequences.ts";

/** A share is at most 1, and moves by at most half of what the largest difference of its row moves. */
function shares({ outputShape }: FrozenSequence, x: Elements, magnitudes: boolean): Elements {
  const units = last(outputShape);
  return (index) => {
    const row = Array.from({ length: units }, (_, unit) => x(index - (index % units) + unit));
    const largest = Math.max(...row);
    if (magnitudes) return 1 + largest;
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    return Math.exp(x(index) - largest) / sum;
  };
}

/** The elements of nodes on tensors of any rank, in float64. */
export const sequenceRules: ByKind<FrozenSequence, [ReadExactly], Elements> = {
  reshape: (_, { inputs }) => first(inputs).elements,
  transpose({ order }, { inputs }) {
    const { elements: x, shape } = first(inputs);
    const placeOf = placesOf(permuted(shape, order));
    return (index) => x(placeOf(index));
  },
  slice({ axis, start, size }, { inputs }) {
    const { elements: x, shape } = first(inputs);
    const [all, inner] = [at(shape, axis), elementsOf(shape.slice(axis + 1))];
    return (index) => {
      const row = Math.floor(index / inner);
      return x((Math.floor(row / size) * all + start + (row % size)) * inner + (index % inner));
    };
  },
  softmax: (node, { inputs, magnitudes }) => shares(node, first(inputs).elements, magnitudes),
  "masked-softmax"(node, { inputs, magnitudes }) {
    const [{ elements: tokens, shape }, { elements: x }] = tuple(inputs, 2);
    const none = magnitudes ? 0 : NO_SHARE;
    return shares(node, (index) => (tokens(index % first(shape)) === PADDING ? none : x(index)), magnitudes);
  },
  "token-mask": (_, { inputs }) => {
    const { elements: tokens } = first(inputs);
    return (index) => (tokens(index) === PADDING ? 0 : 1);
  },
  // A number moves by what its row moves over the deviation, and by what that moves the deviation, itself normalised.
  "layer-norm"({ outputShape, scale, shift, epsilon }, { inputs, magnitudes }) {
    const { elements, exact } = first(inputs);
    const units = last(outputShape);
    return (index) => {
      const rowOf = (x: Elements) => Array.from({ length: units }, (_, unit) => x(index - (index % units) + unit));
      const row = rowOf(exact);
      const [factor, summand] = [at(scale, index % units), at(shift, index % units)];
      const mean = row.reduce((sum, value) => sum + value, 0) / units;
      const variance = row.reduce((sum, value) => sum + square(value - mean), 0) / units;
      const deviation = Math.sqrt(variance + epsilon);
      const normal = (exact(index) - mean) / deviation;
      if (!magnitudes) return normal * factor + summand;
      const moved = (2 * Math.max(...rowOf(elements))) / deviation;
      return Math.abs(factor) * moved * (1 + Math.abs(normal)) + Math.abs(summand);
    };
  },
  matmul({ outputShape, transposeA, transposeB }, { inputs }) {
    const [{ elements: a, shape }, { elements: b }] = tuple(inputs, 2);
    const [m, n] = [at(outputShape, -2), at(outputShape, -1)];
    const k = at(shape, transposeA ? -2 : -1);
    return (index) => {
      const [matrix, row, column] = [Math.floor(index / (m * n)), Math.floor(index / n) % m, index % n];
      let sum = 0;
      for (let inner = 0; inner < k; inner++) {
        const left = a(matrix * m * k + (transposeA ? inner * m + row : row * k + inner));
        sum += left * b(matrix * k * n + (transposeB ? column * k + inner : inner * n + column));
      }
      return sum;
    };
  },
};
