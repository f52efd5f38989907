import { stepSize } from "../../quantization/grid.ts";
import type { FrozenNetwork, FrozenQuantizer } from "../frozen-network.ts";
import { widthList } from "../width-list.ts";
import { addClip } from "./clip.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { OrderedWeight } from "./layer-operators.ts";
import { floatWeight } from "./lower-fp32.ts";
import { type Form, lowerGraph } from "./lower-graph.ts";
import type { Lowered, LowerOptions } from "./model-frame.ts";

/** Where QONNX's operators live. */
export const qonnxDomain = "qonnx.custom_op.general";

/** The `qonnx` form: float32 values, each tensor behind a Quant node that says its grid, for FINN and hls4ml. */
const qonnx: Form = {
  doc: "QONNX: float32 values behind Quant nodes.",
  weight(graph: GraphBuilder, ordered: OrderedWeight): string {
    const { weight, id } = ordered.layer;
    const values = floatWeight(graph, ordered);
    if (weight.bits === 32) return values;
    const { bits, scale } = weight;
    // One width for a tensor, the widest row's, is all that readers of these files take: codes of others fit it too. A step for each output channel broadcasts from the first axis.
    const shape = typeof scale === "number" ? [] : ordered.shape.map((size, axis) => (axis === 0 ? size : 1));
    return quant(graph, `${id}.weight`, values, { bits, signed: true, scale, shape });
  },
  quantizer(graph: GraphBuilder, node: FrozenQuantizer, input: string, output: string): void {
    const { id, bits, signed, xMax } = node;
    if (bits === 32) {
      addClip(graph, node, input, output);
      return;
    }
    // An unsigned grid clips at 0 itself; the readers of these files look for a Relu.
    const rectified = signed ? input : graph.node("Relu", [input], { name: `${id}.relu` });
    quant(graph, id, rectified, { bits, signed, scale: stepSize(bits, { xMax, signed }), output });
  },
  note: ({ id, weight }) =>
    weight.bits === 32 || weight.channelBits === null
      ? null
      : `${id}.weight has rows of ${widthList(weight.channelBits)} bits: its Quant node says ${weight.bits} for all`,
  shielded: false,
  // qonnx's change to channels last, which hls4ml needs, asks for them.
  convolution: { dilations: [1, 1], group: 1 },
};

/** An ONNX file in the `qonnx` form. */
export const lowerQonnx = (network: FrozenNetwork, options: LowerOptions): Lowered =>
  lowerGraph(network, qonnx, options);

interface QuantOptions {
  readonly bits: number;
  readonly signed: boolean;
  readonly scale: number | Float32Array;
  /** Of the scale; one number if left out. */
  readonly shape?: readonly number[];
  readonly output?: string;
}

/** Adds a Quant node. Signed grids are symmetric, which QONNX calls narrow. */
function quant(
  graph: GraphBuilder,
  id: string,
  input: string,
  { bits, signed, scale, shape = [], output }: QuantOptions,
): string {
  const inputs = [
    input,
    graph.floats(`${id}.scale`, typeof scale === "number" ? [scale] : scale, shape),
    graph.floats(`${id}.zero-point`, [0], []),
    graph.floats(`${id}.bit-width`, [bits], []),
  ];
  return graph.node("Quant", inputs, {
    name: `${id}.quant`,
    output,
    domain: qonnxDomain,
    attributes: { signed: signed ? 1 : 0, narrow: signed ? 1 : 0, rounding_mode: "ROUND" },
  });
}
