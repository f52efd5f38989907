import t from "tap";
import { anyEngine } from "../../fixtures/engines.ts";
import { FileWriter } from "../../fixtures/onnx/file-writer.ts";
import { agreeingGraph } from "../../fixtures/onnx/graph-agreement.ts";

const { ops } = await anyEngine();

for (const [opType, opset] of [
  ["MaxPool", 13],
  ["AveragePool", 19],
] as const) {
  const pooled = (kernel: number, dilation: number) => {
    const file = new FileWriter(opset);
    const line = file.op("Conv", [file.input("x", [3, 12]), file.floats([4, 3, 1])], { kernel_shape: [1] });
    const pool = file.op(opType, [line], { kernel_shape: [kernel], dilations: [dilation] });
    return agreeingGraph(ops, file.file(file.op("GlobalAveragePool", [pool])), file.inputs);
  };

  t.test(`${opType} over lines leaves nothing out`, async (t) => {
    await t.rejects(pooled(3, 2), { message: new RegExp(`${opType} ".*": its dilations are 1, 2: pooling takes`) });
    await t.resolves(pooled(3, 1));
    await t.resolves(pooled(1, 2), "of one tap nothing is left out");
  });
}
