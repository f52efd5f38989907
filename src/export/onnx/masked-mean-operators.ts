import { elementTypes } from "../../onnx/element-types.ts";
import type { GraphBuilder } from "./graph-builder.ts";

/** The mean over the tokens that are no padding, as a product with what each counts; a text of padding alone gives 0. */
export function addMaskedMean(
  name: string,
  {
    graph,
    inputs: [tokens = "", x = ""],
    output,
  }: { readonly graph: GraphBuilder; readonly inputs: readonly string[]; readonly output: string },
): void {
  const axis = graph.int64s(`${name}.axis`, [1]);
  const isToken = graph.node("Cast", [tokens], { name: `${name}.mask`, attributes: { to: elementTypes.bool } });
  const mask = graph.node("Cast", [isToken], { name: `${name}.ones`, attributes: { to: elementTypes.float } });
  const count = graph.node("ReduceSum", [mask, axis], { name: `${name}.count` });
  const least = graph.node("Max", [count, graph.floats(`${name}.one`, [1], [])], { name: `${name}.divisor` });
  const shares = graph.node("Div", [mask, least], { name: `${name}.shares` });
  const row = graph.node("Unsqueeze", [shares, axis], { name: `${name}.row` });
  const product = graph.node("MatMul", [row, x], { name: `${name}.product` });
  graph.node("Squeeze", [product, axis], { name, output });
}
