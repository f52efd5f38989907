import { create } from "@bufbuild/protobuf";
import { lookup } from "../core/lookup.ts";
import {
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from "../onnx/generated/onnx_pb.ts";
import { withGraph } from "../onnx/onnx-model.ts";
import { FileGraph } from "./file-graph.ts";
import { subgraphsOf } from "./value-names.ts";

/** A copy of a graph, to be changed without changing it; tensors are shared. Nodes of subgraphs have copies too. */
export function copyGraph(graph: FileGraph): { readonly graph: FileGraph; copyOf(node: NodeProto): NodeProto } {
  const preview = graph.preview();
  const copies = new Map<NodeProto, NodeProto>();
  const node = preview.graph.node.map((one) => copyNode(one, copies));
  const model = withGraph(preview, { node, input: [...preview.graph.input] });
  model.opsetImport = [...model.opsetImport];
  return { graph: new FileGraph(model), copyOf: (node) => lookup(copies, node) };
}

/** @param copies Gets the copies of the node and of all in its subgraphs. */
function copyNode(node: NodeProto, copies: Map<NodeProto, NodeProto>): NodeProto {
  const copy = Object.assign(create(NodeProtoSchema), node, { input: [...node.input], output: [...node.output] });
  if (subgraphsOf(node).length > 0) {
    copy.attribute = node.attribute.map((attribute) =>
      Object.assign(create(AttributeProtoSchema), attribute, {
        g: attribute.g && copyInner(attribute.g, copies),
        graphs: attribute.graphs.map((graph) => copyInner(graph, copies)),
      }),
    );
  }
  copies.set(node, copy);
  return copy;
}

const copyInner = (graph: GraphProto, copies: Map<NodeProto, NodeProto>): GraphProto =>
  Object.assign(create(GraphProtoSchema), graph, { node: graph.node.map((node) => copyNode(node, copies)) });
