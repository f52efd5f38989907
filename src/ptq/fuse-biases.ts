import { floatBytes } from "../export/onnx/packing.ts";
import { elementTypes } from "../onnx/element-types.ts";
import type { NodeProto } from "../onnx/generated/onnx_pb.ts";
import { isStandardDomain } from "../onnx/onnx-model.ts";
import { realValues, tensorOf } from "../onnx/tensor-data.ts";
import type { FileGraph } from "./file-graph.ts";

/** A layer and what adds its bias. */
export interface AddedBias {
  readonly layer: NodeProto;
  readonly add: NodeProto;
  readonly bias: Float32Array;
}

/**
 * Constants that alone are added to what a convolution without a bias gives, or to a product with a constant matrix: one
 * number for each output channel.
 */
export function addedBiases(graph: FileGraph): readonly AddedBias[] {
  return graph.nodes.flatMap((add): readonly AddedBias[] => {
    if (add.opType !== "Add" || !isStandardDomain(add.domain) || add.input.length !== 2) return [];
    const layer = add.input.map((name) => graph.makerOf(name)).find((node) => node !== null && takesBias(graph, node));
    const [made = ""] = layer?.output ?? [];
    const name = add.input.find((input) => input !== made) ?? "";
    const tensor = graph.initializer(name);
    if (!layer || !tensor || graph.readersOf(made).length !== 1 || graph.isOutput(made)) return [];
    const weight = graph.initializer(layer.input[1] ?? "");
    const isConv = layer.opType === "Conv";
    const channels = Number(weight?.dims[isConv ? 0 : 1] ?? 0);
    // Behind the channels' axis all sizes are 1, and so are those before it.
    const behind = isConv ? (weight?.dims.length ?? 0) - 2 : 0;
    const dims = tensor.dims.map(Number);
    const bias = tensor.dataType === elementTypes.float ? realValues(tensor) : null;
    const fits =
      dims.at(-1 - behind) === channels &&
      dims.every((size, axis) => size === 1 || axis === dims.length - 1 - behind) &&
      dims.length <= behind + 2;
    return fits && channels > 0 && bias !== null ? [{ layer, add, bias }] : [];
  });
}

function takesBias(graph: FileGraph, { opType, domain, input }: NodeProto): boolean {
  if (!isStandardDomain(domain) || (opType !== "Conv" && opType !== "MatMul") || (input[2] ?? "") !== "") return false;
  const weight = graph.initializer(input[1] ?? "");
  return weight?.dataType === elementTypes.float && (opType === "Conv" || weight.dims.length === 2);
}

/**
 * Makes what is added a layer's bias: integer kernels add it to their sums. A product becomes a Gemm, which it may only
 * where it reads a matrix; onnxruntime makes it one itself otherwise, with a bias that no kernel of integers takes.
 */
export function fuseBias(graph: FileGraph, { layer, add, bias }: AddedBias): void {
  const [made = ""] = layer.output;
  const [sum = ""] = add.output;
  const [x = "", weight = ""] = layer.input;
  const name = graph.freeName(`${weight}.bias`);
  if (layer.opType === "MatMul") layer.opType = "Gemm";
  layer.input = [x, weight, graph.setInitializer(tensorOf(name, elementTypes.float, [bias.length], floatBytes(bias)))];
  layer.output[0] = sum;
  graph.moved(made, sum, layer);
  graph.remove(add);
}
