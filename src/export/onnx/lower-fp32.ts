import { codeLimits, stepSize } from "../../quantization/grid.ts";
import type { FrozenNetwork, FrozenQuantizer } from "../frozen-network.ts";
import { valuesOf } from "../tensor-values.ts";
import { addClip } from "./clip.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { OrderedWeight } from "./layer-operators.ts";
import { type Form, lowerGraph } from "./lower-graph.ts";
import type { Lowered, LowerOptions } from "./model-frame.ts";

/** The `fp32` form: float32 throughout, with weights and activations on their learned grids; for reference. */
const fp32: Form = {
  doc: "Float32 values on the learned grids.",
  weight: floatWeight,
  quantizer: roundToGrid,
  shielded: false,
};

/** An ONNX file in the `fp32` form, operator set 13. */
export const lowerFp32 = (network: FrozenNetwork, options: LowerOptions): Lowered => lowerGraph(network, fp32, options);

/** Adds a weight as float32 values. */
export function floatWeight(graph: GraphBuilder, { layer, shape, order }: OrderedWeight): string {
  const values = valuesOf(layer.weight);
  return graph.floats(
    `${layer.id}.weight`,
    Float32Array.from(order, (index) => values[index]!),
    shape,
  );
}

/** Adds a quantizer as float32 arithmetic: divide, round halves to even, clip, multiply. */
export function roundToGrid(graph: GraphBuilder, node: FrozenQuantizer, input: string, output: string): void {
  const { id, bits, signed, xMax } = node;
  if (bits === 32) {
    addClip(graph, node, input, output);
    return;
  }
  const step = graph.floats(`${id}.scale`, [stepSize(bits, { xMax, signed })], []);
  const bounds = codeLimits(bits, signed).map((code, index) =>
    graph.floats(`${id}.${index === 0 ? "lowest" : "highest"}`, [code], []),
  );
  const position = graph.node("Div", [input, step], { name: `${id}.position` });
  const rounded = graph.node("Round", [position], { name: `${id}.rounded` });
  const codes = graph.node("Clip", [rounded, ...bounds], { name: `${id}.codes` });
  graph.node("Mul", [codes, step], { name: `${id}.value`, output });
}
