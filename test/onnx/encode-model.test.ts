import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { encodeModel, inOneFile, writtenLength } from "../../src/onnx/encode-model.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { encodeModelProto, readModel } from "../../src/onnx/onnx-model.ts";
import { loadModel } from "../../src/ptq/load-model.ts";
import { encodePlain } from "../fixtures/onnx/plain-model.ts";
import { floats, sampleArray } from "../fixtures/ptq.ts";

const bytes = encodePlain({
  opset: 13,
  inputs: [{ name: "x", shape: ["n", 40] }],
  outputs: [{ name: "y" }],
  nodes: [
    { opType: "MatMul", input: ["x", "w1"], output: ["a"] },
    { opType: "Add", input: ["a", "b1"], output: ["b"] },
    { opType: "MatMul", input: ["b", "w2"], output: ["y"] },
  ],
  tensors: [floats("w1", [40, 50]), floats("b1", [50]), floats("w2", [50, 30])],
});
const model = () => readModel(bytes, "it.onnx");
const x = FileSession.tensor(sampleArray("x", [3, 40]).data as Float32Array, [3, 40]);

async function outputOf(file: Parameters<typeof FileSession.load>[0]): Promise<readonly number[]> {
  await using session = await FileSession.load(file, "it.onnx");
  return Array.from((await session.run({ x })).get("y")?.data ?? [], Number);
}

t.test("a model that fits a message is one", async (t) => {
  const { bytes: own, beside } = encodeModel(model());
  t.strictSame(Buffer.from(own), Buffer.from(encodeModelProto(model())));
  t.strictSame(beside, []);
  t.strictSame(inOneFile({ bytes: own, beside }, "it.onnx_data"), { bytes: own, beside: [] });
});

t.test("a larger one has its weights beside it, in memory and in a file of their own", async (t) => {
  const expected = await outputOf(bytes);
  const encoded = encodeModel(model(), { largest: 1000 });
  t.strictSame(
    encoded.beside.map(({ data }) => data.length),
    [4 * 40 * 50, 4 * 50 * 30],
    "small tensors stay",
  );
  t.ok(encoded.bytes.length < 1000, `${encoded.bytes.length} bytes`);
  t.strictSame(await outputOf(encoded), expected, "the runtime takes it");

  const folder = t.testdir();
  const whole = inOneFile(encoded, "it.onnx_data");
  const named = inOneFile(encoded, "model.onnx_data");
  t.equal(writtenLength(encoded), named.bytes.length + Buffer.concat(named.beside).length);
  writeFileSync(join(folder, "it.onnx"), whole.bytes);
  writeFileSync(join(folder, "it.onnx_data"), Buffer.concat(whole.beside));
  t.strictSame(await outputOf(join(folder, "it.onnx")), expected, "from its files too");
  const weightsOf = ({ graph }: ReturnType<typeof model>) =>
    graph.initializer.map(({ name, dims, rawData }) => ({ name, dims, data: Buffer.from(rawData) }));
  t.strictSame(weightsOf(loadModel(join(folder, "it.onnx")).model), weightsOf(model()), "read again");
});
