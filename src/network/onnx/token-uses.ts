import { first } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { inputsOf } from "../../graph/walk.ts";
import { kindOf, type Network, type Node } from "../../kinds/index.ts";
import { cut, Damaged } from "./problems.ts";

/** @throws Damaged where a table has no row for the data's largest token. */
export function requireRows(nodes: readonly Node[], vocabulary: number): void {
  const parameters = new Map(nodes.flatMap((node) => (node.kind === "parameter" ? [[node.id, node]] : [])));
  for (const node of nodes) {
    if (node.kind !== "embedding") continue;
    const rows = first(lookup(parameters, node.inputs[1]).shape);
    if (rows < vocabulary)
      throw new Damaged(
        `its table "${cut(node.id)}" has ${rows} rows, and the data's tokens go up to ${vocabulary - 1}: make them with the network's own tokenizer`,
      );
  }
}

/** An input of integers is either the numbers of tokens or numbers to compute with. */
export function requireOneUse({ nodes }: Network): void {
  const tokens = new Set(nodes.flatMap((node) => (node.kind === "input" && node.dtype === "int32" ? [node.id] : [])));
  const wrong = nodes.find((node) => {
    const [head, ...others] = inputsOf(node);
    return (
      others.some((id) => tokens.has(id)) || (head !== undefined && tokens.has(head) && !kindOf(node).readsIntegers)
    );
  });
  if (wrong !== undefined)
    throw new Damaged(`"${cut(wrong.id)}" computes with an input that holds the numbers of tokens`);
}
