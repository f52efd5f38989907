import type { NodeId } from "../../graph/graph.ts";
import { inOrder, shaped, shapeText } from "./arrangement.ts";
import type { GraphWriter } from "./graph-writer.ts";
import { cut, Damaged } from "./problems.ts";
import { knownSizes, sizesText } from "./sizes.ts";
import type { Translation } from "./translation.ts";
import { dimsOf, type Ending, type Value } from "./value.ts";

/** A network's value that has to be a row of logits, and what the file makes of them. */
export function classOutput(
  value: Value,
  classes: number,
  writer: GraphWriter,
): { readonly node: NodeId; readonly ending: Ending | null } {
  if (value.kind !== "activation") throw new Damaged("its output is a constant");
  const [batch, units, ...others] = value.axes;
  if (`${batch}` !== "0" || units === undefined || others.some((factors) => factors.length > 0)) {
    throw new Damaged(`its output is [${shapeText(value)}], expected [batch, classes]`);
  }
  const found = dimsOf(value).slice(1, 2);
  if (found[0] !== classes) {
    throw new Damaged(
      `it gives ${sizesText(found)} values for each image, the data set needs ${classes}: choose another data set, or replace the network's last layer`,
    );
  }
  return { node: shaped(inOrder(value, writer), [classes], writer).node, ending: value.ending };
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
