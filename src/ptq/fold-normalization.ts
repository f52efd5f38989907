import { create } from "@bufbuild/protobuf";
import { floatBytes } from "../export/onnx/packing.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { type NodeProto, type TensorProto, ValueInfoProtoSchema } from "../onnx/generated/onnx_pb.ts";
import { isStandardDomain } from "../onnx/onnx-model.ts";
import { realValues, tensorOf } from "../onnx/tensor-data.ts";
import { type FileGraph, floatOf, intOf } from "./file-graph.ts";

/**
 * Puts each batch normalization that alone reads a convolution with constant weights into its weight and bias. Others
 * stay as they are.
 *
 * @returns How many were folded.
 */
export function foldBatchNorms(graph: FileGraph): number {
  let folded = 0;
  for (const norm of graph.nodes) {
    if (norm.opType !== "BatchNormalization" || !isStandardDomain(norm.domain)) continue;
    if (intOf(norm, "training_mode", 0) !== 0 || norm.output.filter((name) => name !== "").length !== 1) continue;
    if (fold(graph, norm)) folded++;
  }
  return folded;
}

const floatsOf = (graph: FileGraph, name: string | undefined): Float32Array | null => {
  const tensor = name === undefined ? null : graph.initializer(name);
  return tensor?.dataType === elementTypes.float ? realValues(tensor) : null;
};

function fold(graph: FileGraph, norm: NodeProto): boolean {
  const [x = "", ...names] = norm.input;
  const conv = graph.makerOf(x);
  const [made = ""] = norm.output;
  if (conv?.opType !== "Conv" || !isStandardDomain(conv.domain) || graph.isOutput(x)) return false;
  if (graph.readersOf(x).length !== 1) return false;
  const [scale, shift, mean, variance] = names.map((name) => floatsOf(graph, name));
  const weight = graph.initializer(conv.input[1] ?? "");
  const values = floatsOf(graph, weight?.name);
  const biasName = conv.input[2];
  const bias = biasName ? floatsOf(graph, biasName) : null;
  if (!scale || !shift || !mean || !variance || !weight || !values || (biasName && !bias)) return false;
  // A tensor that something else reads as well, or that the file gives, must stay.
  if (graph.readersOf(weight.name).length !== 1 || graph.isOutput(weight.name)) return false;
  // Old operator sets know a normalization of each place.
  if ([scale, shift, mean, variance].some(({ length }) => length !== Number(weight.dims[0]))) return false;
  const epsilon = floatOf(norm, "epsilon", 1e-5);
  const factors = scale.map((value, channel) => value / Math.sqrt((variance[channel] ?? 0) + epsilon));
  const inputs = values.length / factors.length;
  const scaled = values.map((value, index) => value * (factors[Math.floor(index / inputs)] ?? 0));
  const shifted = factors.map(
    (factor, channel) => ((bias?.[channel] ?? 0) - (mean[channel] ?? 0)) * factor + (shift[channel] ?? 0),
  );
  if (!scaled.every(Number.isFinite) || !shifted.every(Number.isFinite)) return false;
  graph.setInitializer(withValues(weight, scaled));
  conv.input[2] = graph.setInitializer(
    tensorOf(graph.freeName(`${weight.name}.bias`), elementTypes.float, [shifted.length], floatBytes(shifted)),
  );
  conv.output[0] = made;
  graph.moved(x, made, conv);
  graph.remove(norm);
  passType(graph, x, made);
  return true;
}

/** What the file says of one value holds for another that it says nothing of. */
function passType({ model: { graph } }: FileGraph, from: string, to: string): void {
  const known = graph.valueInfo.find(({ name }) => name === from)?.type;
  if (known === undefined) return;
  const given = graph.output.find(({ name }) => name === to);
  if (given !== undefined) given.type ??= known;
  else if (!graph.valueInfo.some(({ name }) => name === to)) {
    graph.valueInfo = [...graph.valueInfo, create(ValueInfoProtoSchema, { name: to, type: known })];
  }
}

const withValues = ({ name, dims }: TensorProto, values: Float32Array): TensorProto =>
  tensorOf(name, elementTypes.float, dims.map(Number), floatBytes(values));
