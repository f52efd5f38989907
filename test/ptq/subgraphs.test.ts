import t from "tap";
import { bitSplit } from "../../src/config/sections/methods/layerwise-settings.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { encodePlain, type PlainGraph, type PlainModel, type PlainNode, typed } from "../fixtures/onnx/plain-model.ts";
import { floats, integers, quantized, sampleArray } from "../fixtures/ptq.ts";

const arrays = new Map([["x", sampleArray("x", [16, 24, 24])]]);
const graphOf = (name: string, graph: Omit<PlainGraph, "name">) => ({ name, type: 5, g: { name, ...graph } });
const constant = (name: string, tensor: ReturnType<typeof floats>): PlainNode => ({
  ...{ opType: "Constant", name: `${name}/node`, output: [name] },
  attribute: [{ name: "value", type: 4, t: tensor }],
});
/** Something differs, so that there is a ratio. */
const noise = (outputs: readonly { readonly sqnrDb: number | null }[]) => outputs.map(({ sqnrDb }) => sqnrDb!);
const { ops } = await anyEngine();

const tensors = [floats("zero", [], 0), floats("low", [], 0), floats("o", [24, 24])];

/** Two branches whose constants have the same names; one has another If inside, that reads constants of all three graphs. */
const model: PlainModel = {
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
  tensors,
};
const branches = encodePlain(model);

t.test("weights inside of branches are quantized, and nothing else changes", async (t) => {
  const { layers, outputs, bytes, interfaces } = await quantized(branches, arrays);
  t.strictSame(layers.map(({ name }) => name).sort(), ["else", "inmost", "outer", "shared", "then"]);
  for (const db of noise(outputs)) t.ok(db > 30, `${db} dB`);
  t.strictSame(interfaces[0], interfaces[1]);
  // The one that is added as well stays in float.
  t.ok(bytes.length < branches.length * 0.7, `${bytes.length} of ${branches.length}`);
});

t.test("layer by layer, and within a budget, those inside are rounded, and those behind see them", async (t) => {
  const solver = { method: bitSplit.parse({ name: "bit-split" }), ops, seed: 1 };
  const budget = { limit: { averageBits: 4 }, table: null };
  const { layers, plan } = await quantized(branches, arrays, { solver, budget });
  t.ok(layers.every(({ method }) => method === "nearest"));
  t.equal(plan?.table.weights.length, 4);
  const behind = encodePlain({
    ...model,
    nodes: [...model.nodes, { opType: "MatMul", name: "behind", input: ["y", "last"], output: ["z"] }],
    outputs: [{ name: "z" }],
    tensors: [...tensors, floats("last", [24, 24])],
  });
  const kept = new Map<string, unknown>();
  const memo = { recall: () => null, keep: (key: string, value: unknown) => void kept.set(key, value) };
  const codes = async (weights: 2 | 8) => {
    // The same width of its own: what differs is what it sees.
    const widths = { weights, bitsOf: (name: string) => (name === "behind" ? 4 : null) } as const;
    const found = await quantized(behind, arrays, { ...widths, solver, memo });
    t.strictSame(
      found.layers.filter(({ method }) => method !== "nearest").map(({ name }) => name),
      ["behind"],
    );
    return JSON.stringify([...kept]);
  };
  t.not(await codes(2), await codes(8));
});

type Body = Omit<PlainGraph, "name">;

/** A loop of three trips with two states: a weight, and what is multiplied by it. */
const loopOf = (weightAfter: string, more: Body["node"] = []) => {
  const body: Body = {
    node: [
      { opType: "MatMul", name: "step", input: ["h.in", "w.in"], output: ["h.next"] },
      { opType: "Identity", input: ["go.in"], output: ["go.out"] },
      ...more,
    ],
    input: [typed("i", 7, []), typed("go.in", 9, []), typed("w.in", 1, [24, 24]), typed("h.in", 1, [24, 24])],
    output: ["go.out", weightAfter, "h.next"].map((name) => ({ name })),
  };
  const attribute = [graphOf("body", body)];
  return encodePlain({
    opset: 12,
    inputs: [{ name: "x", shape: [24, 24] }],
    outputs: [{ name: "y" }],
    nodes: [{ opType: "Loop", input: ["trips", "", "w", "x"], output: ["unread", "y"], attribute }],
    tensors: [{ ...integers("trips", [3]), dims: [] }, floats("w", [24, 24], 0.3)],
  });
};

t.test("a weight that goes through a loop's states is read from outside, and stored once", async (t) => {
  const loop = loopOf("w.in");
  const { layers, outputs, bytes } = await quantized(loop, arrays);
  t.strictSame(
    layers.map(({ name }) => name),
    ["step"],
  );
  for (const db of noise(outputs)) t.ok(db > 30, `${db} dB`);
  t.ok(bytes.length < loop.length * 0.7, `${bytes.length} of ${loop.length}`);
});

t.test("a state that changes is no weight", async (t) => {
  const loop = loopOf("w.next", [{ opType: "Add", input: ["w.in", "w.in"], output: ["w.next"] }]);
  await t.rejects(quantized(loop, arrays), /has no layer to quantize/);
});

t.test("a loop whose only result nobody reads keeps it", async (t) => {
  const body: Body = {
    node: [{ opType: "Identity", input: ["go.in"], output: ["go.out"] }],
    input: [typed("i", 7, []), typed("go.in", 9, []), typed("w.in", 1, [24, 24])],
    output: ["go.out", "w.in"].map((name) => ({ name })),
  };
  const dead = encodePlain({
    ...{ opset: 12, inputs: [{ name: "x", shape: [24, 24] }], outputs: [{ name: "y" }] },
    nodes: [
      { opType: "Loop", input: ["trips", "", "w"], output: ["unread"], attribute: [graphOf("body", body)] },
      { opType: "MatMul", name: "product", input: ["x", "w"], output: ["y"] },
    ],
    tensors: [{ ...integers("trips", [3]), dims: [] }, floats("w", [24, 24])],
  });
  const { layers } = await quantized(dead, arrays);
  t.equal(layers.length, 1);
});

t.test("a layer inside has no noise of its own, even where its output is called as a value outside", async (t) => {
  const branch = (weight: string): Body => ({
    node: [{ opType: "MatMul", name: `with ${weight}`, input: ["x", weight], output: ["y"] }],
    output: [{ name: "y" }],
  });
  const same = encodePlain({
    ...model,
    nodes: [
      ...model.nodes.slice(0, 2),
      {
        ...{ opType: "If", input: ["large"], output: ["y"] },
        attribute: [graphOf("then_branch", branch("w1")), graphOf("else_branch", branch("w2"))],
      },
    ],
    tensors: [...tensors, floats("w1", [24, 24]), floats("w2", [24, 24])],
  });
  const { noises, calibration } = await quantized(same, arrays, { weights: 4 });
  t.strictSame(await noises(calibration), [
    { sqnrDb: null, same: false },
    { sqnrDb: null, same: false },
  ]);
});
