import onnxProto from "onnx-proto";
import { first } from "../../core/elements.ts";
import { UserError } from "../../core/errors.ts";
import { codeLimits } from "../../quantization/grid.ts";
import type { GridBits } from "../../quantization/levels.ts";
import { qonnxDomain } from "./lower-qonnx.ts";
import { floatBytes } from "./packing.ts";
import type { Model } from "./read-model.ts";

const { onnx } = onnxProto;

type Node = onnxProto.onnx.INodeProto;
type Initializer = onnxProto.onnx.ITensorProto;

/** Whether a model has QONNX's operators, which runtimes do not know. */
export const usesQuant = (model: Model): boolean => model.opsetImport.some(({ domain }) => domain === qonnxDomain);

/**
 * The model with each Quant node in the operators that define it (divide, round halves to even, clip, multiply), so
 * that a runtime without QONNX's operators can run it. Others are left alone.
 *
 * @throws UserError when a Quant node is not one of this program's.
 */
export function expandQuant(model: Model, file: string): Model {
  const graph = model.graph!;
  const initializers = new Map(graph.initializer?.map((one) => [one.name!, one]));
  const added: Initializer[] = [];
  const number = (name: string): number => {
    const bytes = initializers.get(name)?.rawData;
    if (bytes?.length !== 4) throw new UserError(`${file}: a Quant node reads "${name}", which is not one number`);
    return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
  };
  const node = graph.node?.flatMap((node): Node[] => {
    if (node.domain !== qonnxDomain || node.opType !== "Quant") return [node];
    const [x = "", scale = "", , bitWidth = ""] = node.input ?? [];
    const signed = Number(node.attribute?.find(({ name }) => name === "signed")?.i) === 1;
    // Files of this program have no other widths.
    const bounds = codeLimits(number(bitWidth) as GridBits, signed).map((value, index) => {
      const name = `${node.name}.${index === 0 ? "lowest" : "highest"}`;
      added.push({ name, dataType: onnx.TensorProto.DataType.FLOAT, dims: [], rawData: floatBytes([value]) });
      return name;
    });
    const step = (opType: string, input: string[], output: string): Node => ({
      opType,
      name: output === node.output?.[0] ? node.name! : output,
      input,
      output: [output],
    });
    return [
      step("Div", [x, scale], `${node.name}.position`),
      step("Round", [`${node.name}.position`], `${node.name}.rounded`),
      step("Clip", [`${node.name}.rounded`, ...bounds], `${node.name}.codes`),
      step("Mul", [`${node.name}.codes`, scale], first(node.output!)),
    ];
  });
  const expanded = onnx.ModelProto.fromObject({
    ...model,
    opsetImport: model.opsetImport.filter(({ domain }) => domain !== qonnxDomain),
    graph: { ...graph, node, initializer: [...(graph.initializer ?? []), ...added] },
  });
  return expanded;
}
