import t from "tap";
import { encodePlain, type PlainGraph, type PlainNode, typed } from "../fixtures/onnx/plain-model.ts";
import { floats, integers, quantized, sampleArray } from "../fixtures/ptq.ts";

const arrays = new Map([["x", sampleArray("x", [16, 24, 24])]]);
const graphOf = (name: string, graph: Omit<PlainGraph, "name">) => ({ name, type: 5, g: { name, ...graph } });
const constant = (name: string, tensor: ReturnType<typeof floats>): PlainNode => ({
  ...{ opType: "Constant", name: `${name}/node`, output: [name] },
  attribute: [{ name: "value", type: 4, t: tensor }],
});
const noise = (outputs: readonly { readonly sqnrDb: number | null }[]) => outputs.map(({ sqnrDb }) => sqnrDb ?? 99);

const loopInputs = [typed("i", 7, []), typed("go.in", 9, []), typed("w.in", 1, [24, 24]), typed("h.in", 1, [24, 24])];

/** Two branches whose constants have the same names; one has another If inside, that reads constants of all three graphs. */
const branches = encodePlain({
  opset: 12,
  inputs: [{ name: "x", shape: [24, 24] }],
  outputs: [{ name: "y" }],
  nodes: [
    { opType: "ReduceSum", input: ["x"], output: ["sum"], attribute: [{ name: "keepdims", type: 2, i: 0 }] },
    { opType: "Greater", input: ["sum", "zero"], output: ["large"] },
    {
      ...{ opType: "If", name: "choice", input: ["large"], output: ["y"] },
      attribute: [
        graphOf("then_branch", {
          node: [
            constant("w", floats("", [24, 24])),
            { opType: "Transpose", name: "turn", input: ["w"], output: ["turned"] },
            { opType: "MatMul", name: "then", input: ["x", "turned"], output: ["then.y"] },
          ],
          output: [{ name: "then.y" }],
        }),
        graphOf("else_branch", {
          node: [
            { opType: "MatMul", name: "else", input: ["x", "w"], output: ["else.y"] },
            { opType: "Greater", input: ["sum", "low"], output: ["middle"] },
            {
              ...{ opType: "If", input: ["middle"], output: ["else.z"] },
              attribute: [
                graphOf("then_branch", {
                  node: [
                    constant("v", floats("", [24, 24])),
                    { opType: "MatMul", name: "inmost", input: ["else.y", "v"], output: ["p"] },
                    { opType: "MatMul", name: "shared", input: ["p", "w"], output: ["q"] },
                    { opType: "MatMul", name: "outer", input: ["q", "o"], output: ["r"] },
                  ],
                  output: [{ name: "r" }],
                }),
                graphOf("else_branch", {
                  node: [{ opType: "Add", input: ["else.y", "w"], output: ["sum.y"] }],
                  output: [{ name: "sum.y" }],
                }),
              ],
            },
          ],
          initializer: [floats("w", [24, 24], 2)],
          output: [{ name: "else.z" }],
        }),
      ],
    },
  ],
  tensors: [floats("zero", [], 0), floats("low", [], 0), floats("o", [24, 24])],
});

t.test("weights inside of branches are quantized, and nothing else changes", async (t) => {
  const { layers, outputs, bytes, interfaces } = await quantized(branches, arrays);
  t.strictSame(layers.map(({ name }) => name).sort(), ["else", "inmost", "outer", "shared", "then"]);
  for (const db of noise(outputs)) t.ok(db > 30, `${db} dB`);
  t.strictSame(interfaces[0], interfaces[1]);
  // The one that is added as well stays in float.
  t.ok(bytes.length < branches.length * 0.7, `${bytes.length} of ${branches.length}`);
});

t.test("layer by layer, and within a budget, those inside are rounded", async (t) => {
  const { layers, plan } = await quantized(branches, arrays, {
    budget: { limit: { averageBits: 4 }, table: null },
  });
  t.ok(layers.every(({ method }) => method === "nearest"));
  t.equal(plan?.table.weights.length, 4);
});

t.test("a weight that goes through a loop's states is read from outside, and stored once", async (t) => {
  const body: Omit<PlainGraph, "name"> = {
    node: [
      { opType: "MatMul", name: "step", input: ["h.in", "w.in"], output: ["h.next"] },
      { opType: "Identity", input: ["go.in"], output: ["go.out"] },
    ],
    input: loopInputs,
    output: ["go.out", "w.in", "h.next"].map((name) => ({ name })),
  };
  const loop = encodePlain({
    opset: 12,
    inputs: [{ name: "x", shape: [24, 24] }],
    outputs: [{ name: "y" }],
    nodes: [
      { opType: "Loop", input: ["trips", "", "w", "x"], output: ["unread", "y"], attribute: [graphOf("body", body)] },
    ],
    tensors: [{ ...integers("trips", [3]), dims: [] }, floats("w", [24, 24], 0.3)],
  });
  const { layers, outputs, bytes } = await quantized(loop, arrays);
  t.strictSame(
    layers.map(({ name }) => name),
    ["step"],
  );
  for (const db of noise(outputs)) t.ok(db > 30, `${db} dB`);
  t.ok(bytes.length < loop.length * 0.7, `${bytes.length} of ${loop.length}`);
});

t.test("a state that changes is no weight", async (t) => {
  const body: Omit<PlainGraph, "name"> = {
    node: [
      { opType: "MatMul", name: "step", input: ["h.in", "w.in"], output: ["h.next"] },
      { opType: "Add", input: ["w.in", "w.in"], output: ["w.next"] },
      { opType: "Identity", input: ["go.in"], output: ["go.out"] },
    ],
    input: loopInputs,
    output: ["go.out", "w.next", "h.next"].map((name) => ({ name })),
  };
  const loop = encodePlain({
    opset: 12,
    inputs: [{ name: "x", shape: [24, 24] }],
    outputs: [{ name: "y" }],
    nodes: [
      { opType: "Loop", input: ["trips", "", "w", "x"], output: ["last", "y"], attribute: [graphOf("body", body)] },
    ],
    tensors: [{ ...integers("trips", [3]), dims: [] }, floats("w", [24, 24], 0.3)],
  });
  await t.rejects(quantized(loop, arrays), /has no layer to quantize/);
});
