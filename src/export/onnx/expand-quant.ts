import { create } from "@bufbuild/protobuf";
import { first } from "../../core/elements.ts";
import { UserError } from "../../core/errors.ts";
import { elementTypes } from "../../onnx/element-types.ts";
import { type NodeProto, NodeProtoSchema, type TensorProto, TensorProtoSchema } from "../../onnx/generated/onnx_pb.ts";
import { withGraph } from "../../onnx/onnx-model.ts";
import { codeLimits } from "../../quantization/grid.ts";
import type { GridBits } from "../../quantization/levels.ts";
import { qonnxDomain } from "./lower-qonnx.ts";
import { floatBytes } from "./packing.ts";
import type { Model } from "./read-model.ts";

/** Whether a model has QONNX's operators, which runtimes do not know. */
export const usesQuant = (model: Model): boolean => model.opsetImport.some(({ domain }) => domain === qonnxDomain);

/**
 * The model with each Quant node in the operators that define it (divide, round halves to even, clip, multiply), so
 * that a runtime without QONNX's operators can run it. Others are left alone.
 *
 * @throws UserError when a Quant node is not one of this program's.
 */
export function expandQuant(model: Model, file: string): Model {
  const { graph } = model;
  const initializers = new Map(graph.initializer.map((one) => [one.name, one]));
  const added: TensorProto[] = [];
  const number = (name: string): number => {
    const bytes = initializers.get(name)?.rawData;
    if (bytes?.length !== 4) throw new UserError(`${file}: a Quant node reads "${name}", which is not one number`);
    return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
  };
  const node = graph.node.flatMap((node): NodeProto[] => {
    if (node.domain !== qonnxDomain || node.opType !== "Quant") return [node];
    const [x = "", scale = "", , bitWidth = ""] = node.input;
    const signed = Number(node.attribute.find(({ name }) => name === "signed")?.i) === 1;
    // Files of this program have no other widths.
    const bounds = codeLimits(number(bitWidth) as GridBits, signed).map((value, index) => {
      const name = `${node.name}.${index === 0 ? "lowest" : "highest"}`;
      added.push(create(TensorProtoSchema, { name, dataType: elementTypes.float, rawData: floatBytes([value]) }));
      return name;
    });
    const step = (opType: string, input: string[], output: string): NodeProto =>
      create(NodeProtoSchema, {
        opType,
        name: output === node.output[0] ? node.name : output,
        input,
        output: [output],
      });
    return [
      step("Div", [x, scale], `${node.name}.position`),
      step("Round", [`${node.name}.position`], `${node.name}.rounded`),
      step("Clip", [`${node.name}.rounded`, ...bounds], `${node.name}.codes`),
      step("Mul", [`${node.name}.codes`, scale], first(node.output)),
    ];
  });
  const expanded = withGraph(model, { node, initializer: [...graph.initializer, ...added] });
  expanded.opsetImport = model.opsetImport.filter(({ domain }) => domain !== qonnxDomain);
  return expanded;
}
