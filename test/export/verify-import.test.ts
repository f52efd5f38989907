import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { type Imported, verifyImport } from "../../src/export/verify-import.ts";
import { loadNetwork } from "../../src/network/load-network.ts";
import { engineKinds } from "../fixtures/engines.ts";
import { type NetworkFileName, networkFileNames, networkFiles, pathOf } from "../fixtures/onnx/files.ts";
import { encodePlain, int, node } from "../fixtures/onnx/plain-model.ts";
import { floats } from "../fixtures/ptq.ts";

function load(name: NetworkFileName): Imported {
  const data = { inputShape: networkFiles[name], classes: 10 };
  const { imported, ...network } = loadNetwork({ file: pathOf(name) }, data);
  return { ...network, ...imported!, ...data };
}

for (const { kind, skip } of engineKinds) {
  t.test(`every network is what onnxruntime makes of its file (${kind})`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    const before = ops.liveTensors();
    for (const name of networkFileNames) await t.resolves(verifyImport(load(name), ops), name);
    t.equal(ops.liveTensors(), before, "nothing is left over");
  });
}

t.test("a weight, bias or statistic that is a little off is found in every network", async (t) => {
  const { ops } = await loadEngine();
  for (const name of networkFileNames) {
    const right = load(name);
    const { network, initial } = right;
    for (const node of network.nodes) {
      if (node.kind !== "parameter") continue;
      const parameters = new Map(initial!.parameters);
      parameters.set(
        node.id,
        parameters.get(node.id)!.map((value) => 1.02 * value + 0.002),
      );
      const wrong = { ...right, initial: { ...initial!, parameters } };
      await t.rejects(verifyImport(wrong, ops), /it gives other logits than onnxruntime/, `${name}: ${node.id}`);
    }
  }
});

t.test("probabilities next to zero may differ by what a sigmoid rounds, and no more", async (t) => {
  const { ops } = await loadEngine();
  const tensors = [
    floats("w", [6, 2]),
    { ...floats("b", [2]), rawData: new Uint8Array(Float32Array.of(-14, -15).buffer) },
    floats("v", [6, 2]),
  ];
  const heads = [
    node("Gemm", ["x", "w", "b"], "z"),
    node("Sigmoid", ["z"], "p"),
    node("MatMul", ["x", "v"], "d"),
    node("Concat", ["p", "d"], "y", [int("axis", 1)]),
  ];
  const path = join(t.testdir(), "sigmoid.onnx");
  const check = (nodes: typeof heads, output: string, classes: number, factor: number) => {
    const ports = { inputs: [{ name: "x", shape: ["n", 6] }], outputs: [{ name: output }] };
    const used = tensors.filter(({ name }) => nodes.some(({ input }) => input?.includes(name!)));
    writeFileSync(path, encodePlain({ ...ports, opset: 13, nodes, tensors: used }));
    const { imported, initial, ...network } = loadNetwork({ file: path }, { shape: [6], classes });
    const parameters = new Map(
      Array.from(initial!.parameters, ([id, values]) => [id, values.map((value) => factor * value)] as const),
    );
    const own = { ...network, ...imported!, initial: { ...initial!, parameters }, inputShape: [6], classes };
    return verifyImport(own, ops);
  };
  await t.resolves(check(heads.slice(0, 2), "p", 2, 1));
  await t.resolves(check(heads, "y", 4, 1), "beside another head");
  await t.rejects(check(heads.slice(0, 2), "p", 2, 0.5), /it gives other logits/);
});
