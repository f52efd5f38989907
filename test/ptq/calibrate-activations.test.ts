import t from "tap";
import { lookup } from "../../src/core/lookup.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { calibrate } from "../../src/ptq/calibrate-activations.ts";
import { Samples } from "../../src/ptq/samples.ts";
import { encodePlain } from "../fixtures/onnx/plain-model.ts";
import { sampleArray } from "../fixtures/ptq.ts";

const bytes = encodePlain({
  opset: 13,
  inputs: [{ name: "x", shape: ["n", 50] }],
  outputs: [{ name: "y" }],
  nodes: [
    { opType: "Neg", input: ["x"], output: ["a"] },
    { opType: "Exp", input: ["a"], output: ["b"] },
    { opType: "Tanh", input: ["b"], output: ["y"] },
  ],
  tensors: [],
});

t.test("runs get as few samples as keep what they give within the bytes that may be held", async (t) => {
  await using session = await FileSession.load(bytes, "it.onnx");
  const samples = Samples.of(session.inputs, new Map([["x", sampleArray("x", [37, 50])]]), "samples");
  const batches = samples.batches.bind(samples);
  const sizes = new Set<number>();
  samples.batches = async function* (order, most) {
    for await (const run of batches(order, most)) {
      sizes.add(run.batch);
      yield run;
    }
  };
  const measured = async (atOnce: number | undefined) => {
    sizes.clear();
    const calibration = { samples, order: samples.order(1) };
    const model = readModel(bytes, "it.onnx");
    const values = ["x", "a", "b"];
    const found = await calibrate(model, { values, calibration, file: "it.onnx", ...(atOnce && { atOnce }) });
    return values.map((name) => lookup(found, name));
  };
  const all = await measured(undefined);
  t.strictSame([...sizes], [1, 16, 5], "16 where nothing is in the way, after one that is measured");
  // Of a and b, a sample has 2 · 50 numbers of 4 bytes.
  t.strictSame(await measured(5 * 400 + 399), all, "the same statistics");
  t.strictSame([...sizes], [1, 5, 2]);
  t.strictSame(await measured(1), all, "a sample that is too large has a run of its own");
  t.strictSame([...sizes], [1]);
});
