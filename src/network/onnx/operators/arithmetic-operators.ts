import { at } from "../../../core/elements.ts";
import { elementsOf } from "../../../graph/shape.ts";
import type { OnnxNode } from "../model-graph.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { isKnown, knownSizes, type Size, sizeArithmetic } from "../sizes.ts";
import { broadcast, walk } from "../strided.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Constant, numbersOf } from "../value.ts";
import { commonSizes } from "./views-operators.ts";

type Binary = (a: number, b: number) => number;

/** Whether all inputs are constants: what else is a layer's part is arithmetic of shapes then. */
export const joinsConstants = (node: OnnxNode, translation: Translation): boolean =>
  node.inputs.every((_, index) => translation.isConstant(node, index));

/** Two constants, element by element. */
export function combined(node: OnnxNode, translation: Translation, combine: Binary): Constant {
  return joinedAlong(node, translation, (a, b) => {
    const [left = 0, right = 0] = knownSizes([a, b]);
    return combine(left, right);
  });
}

/** The same where the size of the batch may be among them. */
function joinedAlong(node: OnnxNode, translation: Translation, combine: (a: Size, b: Size) => Size): Constant {
  const [left, right] = [translation.constant(node, 0), translation.constant(node, 1)];
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (left.kind !== right.kind) throw new Damaged("one of its inputs holds integers, the other float32");
  const sizes = commonSizes(left.dims, right.dims);
  const results = alongBoth(translation, [left, right], sizes).map(([a, b]) => combine(a, b));
  return constantOf(left.kind, sizes, results, samplesOf([left, right], sizes));
}

/** The elements of constants that meet, aligned at their ends. */
export function alongBoth(
  { made }: Translation,
  constants: readonly [Constant, Constant],
  sizes: readonly number[],
): readonly (readonly [Size, Size])[] {
  made.take(elementsOf(sizes));
  const [lefts, rights] = constants.map(({ dims, values }) => {
    const view = broadcast(dims, sizes);
    const met: Size[] = [];
    if (view !== null) walk(view, (from) => met.push(at(values, from)));
    return met;
  });
  return (lefts ?? []).map((left, index) => [left, at(rights ?? [], index)]);
}

/** Whether the first axis of what constants make is the batch's. */
export function samplesOf(constants: readonly Constant[], sizes: readonly number[]): boolean {
  const found = constants.filter(({ samples }) => samples);
  if (found.some(({ dims }) => dims.length < sizes.length)) throw new Unsupported("it puts an axis before the batch");
  return found.length > 0;
}

/** A constant, each element by itself. */
export function mapped(translation: Translation, constant: Constant, map: (x: number) => number): Constant {
  translation.made.take(constant.values.length);
  const { kind, dims, samples = false } = constant;
  return constantOf(kind, dims, Array.from(numbersOf(constant), map), samples);
}

export function constantOf(
  kind: Constant["kind"],
  dims: readonly number[],
  numbers: readonly Size[],
  samples: boolean,
): Constant {
  if (kind === "floats") return { kind, dims, values: Float32Array.from(knownSizes(numbers)), samples };
  // Integers are divided as in C.
  const values = numbers.map((number) => (isKnown(number) ? Math.trunc(number) : number));
  const wrong = values.find((value) => isKnown(value) && !Number.isSafeInteger(value));
  if (wrong !== undefined) throw new Damaged(`it comes to the integer ${String(wrong)}`);
  return { kind, dims, values, samples };
}

const ofOne =
  (map: (x: number) => number): Operator =>
  (node, translation) =>
    mapped(translation, translation.constant(node, 0), map);

/** Truths are the integers 0 and 1. */
const compared =
  (compare: (a: Size, b: Size) => Size): Operator =>
  (node, translation) => {
    const result = joinedAlong(node, translation, compare);
    return { ...result, kind: "integers", values: Array.from<Size>(result.values) };
  };

const ofNumbers = (compare: (a: number, b: number) => boolean) =>
  compared((a, b) => {
    const [left = 0, right = 0] = knownSizes([a, b]);
    return compare(left, right) ? 1 : 0;
  });

/** Products and quotients of constants, also of sizes of the batch. */
export const multiplied = (node: OnnxNode, translation: Translation): Constant =>
  joinedAlong(node, translation, sizeArithmetic.multiply);
export const divided = (node: OnnxNode, translation: Translation): Constant =>
  joinedAlong(node, translation, sizeArithmetic.divide);

/** Operators that are known for constants only. */
export const arithmetic = {
  Abs: ofOne(Math.abs),
  Ceil: ofOne(Math.ceil),
  Equal: compared(sizeArithmetic.equals),
  Floor: ofOne(Math.floor),
  Greater: ofNumbers((a, b) => a > b),
  GreaterOrEqual: ofNumbers((a, b) => a >= b),
  Less: ofNumbers((a, b) => a < b),
  LessOrEqual: ofNumbers((a, b) => a <= b),
  Mod: (node, translation) => combined(node, translation, (a, b) => a - b * Math.floor(a / b)),
} as const satisfies Record<string, Operator>;
