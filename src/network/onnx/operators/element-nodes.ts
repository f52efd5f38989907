import type { Nonlinearity } from "../../../engine/nonlinearity.ts";
import { meeting } from "../meet.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import type { Translation } from "../translation.ts";
import type { Activation } from "../value.ts";

/** Two activations that meet element by element: of one shape, or one of them repeated along some axes. */
export function bothOf(
  node: OnnxNode,
  { writer }: Translation,
  [left, right]: readonly [Activation, Activation],
  kind: "add" | "multiply",
): Activation {
  const { inputs, value } = meeting(left, right, writer);
  return { ...value, node: writer.push({ kind, id: writer.name(nodeName(node)), inputs }) };
}

/** x clipped to [0, limit], or to what is above 0. */
export function rectifiedOf(
  node: OnnxNode,
  { writer }: Translation,
  x: Activation,
  limit: number | null = null,
): Activation {
  const id = writer.name(nodeName(node));
  return { ...x, node: writer.push({ kind: "relu", id, inputs: [x.node], limit }) };
}

/** A function of each element by itself. */
export function nonlinearOf(node: OnnxNode, { writer }: Translation, x: Activation, of: Nonlinearity): Activation {
  const id = writer.name(nodeName(node));
  return { ...x, node: writer.push({ kind: "nonlinear", id, inputs: [x.node], of }) };
}
