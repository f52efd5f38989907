import { elementsOf } from "../../../graph/shape.ts";
import type { OnnxNode } from "../model-graph.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { broadcast, walk } from "../strided.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Constant, numbersOf } from "../value.ts";
import { commonSizes } from "./views-operators.ts";

type Binary = (a: number, b: number) => number;

/** Whether both inputs are constants: what else is a layer's part is arithmetic of shapes then. */
export const joinsConstants = (node: OnnxNode, translation: Translation): boolean =>
  translation.isConstant(node, 0) && translation.isConstant(node, 1);

/** Two constants, element by element. */
export function combined(node: OnnxNode, translation: Translation, combine: Binary): Constant {
  const [left, right] = [translation.constant(node, 0), translation.constant(node, 1)];
  if (node.inputs.length !== 2) throw new Unsupported(`it has ${node.inputs.length} inputs, expected 2`);
  if (left.kind !== right.kind) throw new Damaged("one of its inputs holds integers, the other float32");
  const sizes = commonSizes(left.dims, right.dims);
  translation.made.take(elementsOf(sizes));
  const [a, b] = [numbersOf(left), numbersOf(right)];
  const results: number[] = [];
  walk(broadcast(left.dims, sizes)!, (from) => results.push(a[from]!));
  walk(broadcast(right.dims, sizes)!, (from, to) => {
    results[to] = combine(results[to]!, b[from]!);
  });
  return constantOf(left.kind, sizes, results);
}

/** A constant, each element by itself. */
export function mapped(translation: Translation, constant: Constant, map: (x: number) => number): Constant {
  translation.made.take(constant.values.length);
  return constantOf(constant.kind, constant.dims, Array.from(numbersOf(constant), map));
}

function constantOf(kind: Constant["kind"], dims: readonly number[], numbers: readonly number[]): Constant {
  if (kind === "floats") return { kind, dims, values: Float32Array.from(numbers) };
  // Integers are divided as in C.
  const values = numbers.map(Math.trunc);
  const wrong = values.find((value) => !Number.isSafeInteger(value));
  if (wrong !== undefined) throw new Damaged(`it comes to the integer ${wrong}`);
  return { kind, dims, values };
}

const ofOne =
  (map: (x: number) => number): Operator =>
  (node, translation) =>
    mapped(translation, translation.constant(node, 0), map);

/** Operators that are known for constants only. */
export const arithmetic = {
  Abs: ofOne(Math.abs),
  Ceil: ofOne(Math.ceil),
  Floor: ofOne(Math.floor),
  Neg: ofOne((x) => -x),
  Sqrt: ofOne(Math.sqrt),
} as const satisfies Record<string, Operator>;
