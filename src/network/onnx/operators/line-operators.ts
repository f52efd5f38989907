import { asLine } from "../arrangement.ts";
import type { Operator } from "../translation.ts";

/** An operator over images as one that takes lines, too: [batch, channels, length], which are images of one row. */
export const overLines =
  (operator: Operator): Operator =>
  (node, translation) => {
    const result = operator(node, translation);
    const { axes } = translation.activation(node, 0, { keepPadding: true });
    return axes.length === 3 && "kind" in result && result.kind === "activation" ? asLine(result) : result;
  };
