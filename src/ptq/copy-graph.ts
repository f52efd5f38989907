import { create } from "@bufbuild/protobuf";
import { lookup } from "../core/lookup.ts";
import { type NodeProto, NodeProtoSchema } from "../onnx/generated/onnx_pb.ts";
import { withGraph } from "../onnx/onnx-model.ts";
import { FileGraph } from "./file-graph.ts";

/** A copy of a graph, to be changed without changing it; tensors are shared. */
export function copyGraph(graph: FileGraph): { readonly graph: FileGraph; copyOf(node: NodeProto): NodeProto } {
  const preview = graph.preview();
  const copies = new Map(preview.graph.node.map((node) => [node, copyNode(node)]));
  const model = withGraph(preview, { node: [...copies.values()], input: [...preview.graph.input] });
  model.opsetImport = [...model.opsetImport];
  return { graph: new FileGraph(model), copyOf: (node) => lookup(copies, node) };
}

const copyNode = (node: NodeProto): NodeProto =>
  Object.assign(create(NodeProtoSchema), node, { input: [...node.input], output: [...node.output] });
