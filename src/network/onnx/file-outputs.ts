import { first } from "../../core/elements.ts";
import type { NodeId } from "../../graph/graph.ts";
import { inOrder, shaped, shapeText } from "./arrangement.ts";
import type { GraphWriter } from "./graph-writer.ts";
import { cut, Damaged } from "./problems.ts";
import { knownSizes, type Size, sizesText } from "./sizes.ts";
import type { Translation } from "./translation.ts";
import { type Activation, dimsOf, type Ending, type Value } from "./value.ts";

/** One of the outputs of a file, of which the network gives all side by side. */
export interface Head {
  /** In the file. */
  readonly name: string;
  /** Values for each sample. */
  readonly size: number;
  /** What the file makes of the network's logits there. */
  readonly ending: Ending | null;
}

/** Values that each have to be a row for each sample, and are so many numbers together, side by side. */
export function classOutputs(
  values: readonly { readonly name: string; readonly value: Value }[],
  classes: number,
  writer: GraphWriter,
): { readonly node: NodeId; readonly heads: readonly Head[] } {
  const rows = values.map(({ name, value }) => ({ name, ...rowOf(value) }));
  const total = rows.reduce((sum, { sizes }) => sum + (typeof sizes[0] === "number" ? sizes[0] : Number.NaN), 0);
  if (total !== classes) {
    const found = rows.map(({ sizes }) => sizesText(sizes)).join(" + ");
    throw new Damaged(
      `it gives ${found} values for each image, the data set needs ${classes}: choose another data set, or replace the network's last layer`,
    );
  }
  const nodes = rows.map(({ value, sizes }) => shaped(inOrder(value, writer), knownSizes(sizes), writer).node);
  const heads = rows.map(({ name, value, sizes }) => ({ name, size: first(knownSizes(sizes)), ending: value.ending }));
  const [one, other, ...more] = nodes;
  if (one === undefined) throw new Damaged("it has no output");
  if (other === undefined) return { node: one, heads };
  return { node: writer.push({ kind: "concat", id: writer.name("outputs"), inputs: [one, other, ...more] }), heads };
}

function rowOf(value: Value): { readonly value: Activation; readonly sizes: readonly Size[] } {
  if (value.kind !== "activation") throw new Damaged("its output is a constant");
  const [batch, units, ...others] = value.axes;
  if (`${batch}` !== "0" || units === undefined || others.some((factors) => factors.length > 0)) {
    throw new Damaged(`its output is [${shapeText(value)}], expected [batch, classes]`);
  }
  return { value, sizes: dimsOf(value).slice(1, 2) };
}

/** Any value of a network, in the file's order and shape. */
export function tensorOutput(value: Value, name: string, translation: Translation): NodeId {
  if (value.kind !== "activation") throw new Damaged(`its output "${cut(name)}" is a constant`);
  const { writer } = translation;
  const whole = translation.settled(value);
  if (`${whole.axes[0]}` !== "0")
    throw new Damaged(`its output "${cut(name)}" is [${shapeText(whole)}], expected the batch as its first axis`);
  return shaped(inOrder(whole, writer), knownSizes(dimsOf(whole).slice(1)), writer).node;
}
