import { integerType } from "../export/onnx/integer-types.ts";
import { floatBytes, packCodes } from "../export/onnx/packing.ts";
import { elementTypes } from "../onnx/element-types.ts";
import type { NodeProto } from "../onnx/generated/onnx_pb.ts";
import { contribDomain } from "../onnx/onnx-model.ts";
import { tensorOf } from "../onnx/tensor-data.ts";
import type { ActivationGrid } from "./activation-grid.ts";
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
  const maker = graph.makerOf(value);
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
