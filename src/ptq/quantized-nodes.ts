import type { GraphProto } from "../onnx/generated/onnx_pb.ts";
import type { Model } from "../onnx/onnx-model.ts";
import { subgraphsOf } from "./value-names.ts";

/** Operators that say that a file has been quantized already. */
const quantizing = /^(DequantizeLinear|QLinear.*|QGemm|DynamicQuantize.*|MatMulInteger.*|ConvInteger|MatMulNBits)$/;

const countIn = ({ node }: GraphProto): number =>
  node.reduce(
    (count, one) =>
      subgraphsOf(one).reduce((sum, inner) => sum + countIn(inner), count + (quantizing.test(one.opType) ? 1 : 0)),
    0,
  );

/** How many nodes of a file compute with quantized numbers as it comes. */
export const quantizedNodes = ({ graph }: Model): number => countIn(graph);
