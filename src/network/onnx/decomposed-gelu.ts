import { first } from "../../core/elements.ts";
import type { Attributes } from "./attributes.ts";

/** What is looked at of a node. */
export interface Written {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** A number that a file holds; null where a name stands for anything else. */
export type ScalarOf = (name: string) => number | null;

/** How far the constants of a decomposed function may be off. */
const TOLERANCE = 1e-4;

/**
 * GELU as exporters write it out, x/2·(1 + erf(x/sqrt(2))) in any order of its factors, as one node each, in the place of
 * its last product. The nodes that it was made of stay where others read them.
 */
export function joinGelu<N extends Written>(nodes: readonly N[], scalarOf: ScalarOf): readonly N[] {
  if (!nodes.some(({ operator }) => operator === "Erf")) return nodes;
  const makers = new Map(nodes.map((node) => [node.outputs[0] ?? "", node]));
  const readers = new Map<string, N[]>();
  for (const node of nodes) {
    for (const input of new Set(node.inputs)) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const is = (name: string, value: number) => {
    const known = scalarOf(name);
    return known !== null && Math.abs(known / value - 1) < TOLERANCE;
  };
  /** The other input of a node that reads `name`, of an operator that has no order. */
  const beside = ({ inputs: [a = "", b = ""] }: N, name: string) => (a === name ? b : a);
  /** What a value is a constant times of. */
  const unscaled = (name: string, factor: number): string | null => {
    const maker = makers.get(name);
    const [a = "", b = ""] = maker?.inputs ?? [];
    if (maker?.operator === "Div" && is(b, 1 / factor)) return a;
    if (maker?.operator !== "Mul") return null;
    return is(b, factor) ? a : is(a, factor) ? b : null;
  };
  const onlyReader = (name: string, operator: string): N | null => {
    const [reader, ...others] = readers.get(name) ?? [];
    return reader?.operator === operator && others.length === 0 ? reader : null;
  };

  const joined = new Map<N, N>();
  for (const erf of nodes.filter(({ operator }) => operator === "Erf")) {
    const x = unscaled(first(erf.inputs), Math.SQRT1_2);
    const erfOut = first(erf.outputs);
    const sum = onlyReader(erfOut, "Add");
    if (x === null || sum === null || !is(beside(sum, erfOut), 1)) continue;
    const isHalf = (name: string) => is(name, 0.5);
    const product = onlyReader(first(sum.outputs), "Mul");
    if (product === null) continue;
    const factor = beside(product, first(sum.outputs));
    const next = onlyReader(first(product.outputs), "Mul");
    const rest = next && beside(next, first(product.outputs));
    const last =
      unscaled(factor, 0.5) === x
        ? product
        : rest !== null && ((factor === x && isHalf(rest)) || (isHalf(factor) && rest === x))
          ? next
          : null;
    if (last !== null) joined.set(last, { ...last, operator: "Gelu", inputs: [x], attributes: erf.attributes });
  }
  return nodes.map((node) => joined.get(node) ?? node);
}
