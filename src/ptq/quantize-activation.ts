import { integerType } from "../export/onnx/integer-types.ts";
import { floatBytes, packCodes } from "../export/onnx/packing.ts";
import { elementTypes } from "../onnx/element-types.ts";
import type { NodeProto } from "../onnx/generated/onnx_pb.ts";
import { contribDomain } from "../onnx/onnx-model.ts";
import { tensorOf } from "../onnx/tensor-data.ts";
import { roundHalfEven } from "../quantization/grid.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import { clipBounds } from "./clip-bounds.ts";
import type { FileGraph } from "./file-graph.ts";
import { quantizerDomain } from "./store-weight.ts";

/**
 * Puts a value on its grid: QuantizeLinear, then DequantizeLinear, whose output takes over the value's name, so that
 * whoever reads it, inside of subgraphs too, reads the quantized one. A graph's input keeps its name: there the nodes of
 * `readers` are led to the quantized value.
 */
export function quantizeActivation(
  graph: FileGraph,
  {
    value,
    grid,
    opset,
    readers,
  }: { value: string; grid: ActivationGrid; opset: number; readers: ReadonlySet<NodeProto> },
): void {
  const wide = grid.bits === 16;
  const domain = wide && opset < 21 ? contribDomain : quantizerDomain(opset);
  const name = (what: string) => graph.freeName(`${value}.${what}`);
  const step = graph.setInitializer(tensorOf(name("step"), elementTypes.float, [], floatBytes([grid.step])));
  const zero = graph.setInitializer(
    tensorOf(name("zero"), integerType(wide ? 16 : 8, false), [], packCodes([grid.zero], wide ? 16 : 8)),
  );
  const maker = makerOf(graph, value, grid);
  const source = maker === null ? value : name("float");
  const output = maker === null ? name("quantized") : value;
  const codes = name("codes");
  const place = (opType: string, inputs: readonly string[], made: string) =>
    maker === null
      ? graph.addFirst(opType, inputs, { output: made, domain })
      : graph.addBehind(maker, opType, inputs, { output: made, domain });
  place("QuantizeLinear", [source, step, zero], codes);
  place("DequantizeLinear", [codes, step, zero], output);
  if (maker !== null) maker.output[maker.output.indexOf(value)] = source;
  else {
    for (const node of graph.nodes) {
      if (readers.has(node)) node.input = node.input.map((name) => (name === value ? output : name));
    }
  }
}

/**
 * The node that makes a value. Of a Clip whose bounds are the grid's own ends nothing is left, codes end there: it goes, and
 * what it read is made under the value's name. onnxruntime 1.30 would take it into the convolution's kernel itself, but
 * breaks the graph where a bound lies within half a step of an end.
 */
function makerOf(graph: FileGraph, value: string, { step, zero, bits }: ActivationGrid): NodeProto | null {
  const maker = graph.makerOf(value);
  const [clipped = ""] = maker?.input ?? [];
  const before = graph.makerOf(clipped);
  const bounds = maker && clipBounds(graph, maker);
  if (!maker || !before || !bounds || graph.readersOf(clipped).length > 1 || graph.isOutput(clipped)) return maker;
  const codeOf = (bound: number) => roundHalfEven(bound / step) + zero;
  if (codeOf(bounds.low) > 0 || codeOf(bounds.high) < 2 ** bits - 1) return maker;
  graph.remove(maker);
  before.output[before.output.indexOf(clipped)] = value;
  graph.moved(clipped, value, before);
  return before;
}
