import t from "tap";
import { UserError } from "../../src/core/errors.ts";
import { FileSession, runtimeName } from "../../src/onnx/file-session.ts";
import { encodePlain, type PlainModel } from "../fixtures/onnx/plain-model.ts";

const model = (change: Partial<PlainModel>): Uint8Array =>
  encodePlain({
    ...{ opset: 13, inputs: [{ name: "x", shape: [2] }], outputs: [{ name: "y" }] },
    ...{ nodes: [{ opType: "Relu", name: "r", input: ["x"], output: ["y"] }], ...change },
  });

t.test("the runtime's words are one line, without the places in its sources", async (t) => {
  const load = FileSession.load(model({ outputs: [{ name: "z" }] }), "it.onnx");
  await t.rejects(
    load,
    new UserError(
      `it.onnx: ${runtimeName} cannot load it: This is an invalid model. Graph output (z) does not exist in the graph.`,
    ),
  );
  const short = { name: "w", dims: [2], dataType: 1, rawData: new Uint8Array(0) };
  const cut = FileSession.load(
    model({ nodes: [{ opType: "Add", input: ["x", "w"], output: ["y"] }], tensors: [short] }),
    "it.onnx",
  );
  await t.rejects(cut, { message: /^it\.onnx: [^\n]*\(0 bytes\) does not match expected size[^\n]*$/ });
});

t.test("a value whose name every object of JavaScript has is told by it", async (t) => {
  for (const taken of ["__proto__", "constructor"]) {
    const nodes = ["y", taken].map((name) => ({ opType: "Relu", input: ["x"], output: [name] }));
    const load = FileSession.load(model({ nodes, outputs: [{ name: "y" }, { name: taken }] }), "it.onnx");
    await t.rejects(load, { name: "UserError", message: `cannot hand over a value named "${taken}"` });
  }
});
