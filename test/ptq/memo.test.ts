import t from "tap";
import { adaround, bitSplit } from "../../src/config/sections/methods/layerwise-settings.ts";
import { forgetful, type Memo } from "../../src/ptq/memo.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { encodePlain } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

const { ops } = await anyEngine();

/** Two layers that read one value, so that they share a pass, one behind them, and one that is only rounded. */
const bytes = encodePlain({
  opset: 13,
  inputs: [{ name: "x", shape: ["n", 4, 32] }],
  outputs: [{ name: "y" }],
  nodes: [
    { opType: "MatMul", name: "left", input: ["x", "w1"], output: ["a"] },
    { opType: "MatMul", name: "right", input: ["x", "w2"], output: ["b"] },
    { opType: "Add", input: ["a", "b"], output: ["c"] },
    { opType: "MatMul", name: "batched", input: ["c", "w4"], output: ["d"] },
    { opType: "MatMul", name: "last", input: ["d", "w3"], output: ["y"] },
  ],
  tensors: [floats("w1", [32, 32]), floats("w2", [32, 32]), floats("w3", [32, 32]), floats("w4", [1, 32, 32])],
});
const arrays = new Map([["x", sampleArray("x", [24, 4, 32])]]);

/** Keeps what it is given, as a file would; after `most` things the run is stopped. */
class Kept implements Memo {
  readonly known = new Map<string, string>();
  recalled = 0;
  most = Number.POSITIVE_INFINITY;

  recall(key: string): unknown {
    const text = this.known.get(key);
    if (text === undefined) return null;
    this.recalled++;
    return JSON.parse(text);
  }

  keep(key: string, value: unknown): void {
    if (this.known.size >= this.most) throw new Error("stopped");
    this.known.set(key, JSON.stringify(value));
  }
}

const runs = {
  "bit-split": { solver: bitSplit.parse({ name: "bit-split" }), options: { weights: 3, activations: 8 } },
  adaround: { solver: adaround.parse({ name: "adaround", iterations: 20 }), options: { weights: 4 } },
  "a budget": { solver: bitSplit.parse({ name: "bit-split" }), options: { budget: { averageBits: 3.5 } } },
  "a budget of bit operations": {
    solver: bitSplit.parse({ name: "bit-split" }),
    options: { budget: { relativeBops: 7 }, activations: "budget" },
  },
} as const;

for (const [name, { solver, options }] of Object.entries(runs)) {
  t.test(`${name}: stopped anywhere and resumed, the bytes are the same`, async (t) => {
    const { budget, ...widths } = { budget: null, ...options };
    const run = (memo: Memo) =>
      quantized(bytes, arrays, {
        ...widths,
        ...{ solver: { method: solver, ops, seed: 1 }, memo },
        budget: budget && { limit: budget, table: null },
      });
    const whole = new Kept();
    const expected = await run(whole);
    const count = whole.known.size;
    t.ok(count >= 3, `${count} things`);
    const unkept = await run(forgetful);
    t.strictSame(Buffer.from(unkept.bytes), Buffer.from(expected.bytes), "nothing is taken for something else");
    t.strictSame(unkept.plan?.plans, expected.plan?.plans);
    t.strictSame(unkept.plan?.table, expected.plan?.table);
    for (const most of [1, count - 1]) {
      const memo = new Kept();
      memo.most = most;
      await t.rejects(run(memo), /stopped/);
      memo.most = Number.POSITIVE_INFINITY;
      const resumed = await run(memo);
      t.ok(memo.recalled >= most);
      t.strictSame(Buffer.from(resumed.bytes), Buffer.from(expected.bytes), `after ${most} of ${count}`);
      t.strictSame(resumed.plan?.plans, expected.plan?.plans);
    }
  });
}

t.test("what does not fit the weight is not taken", async (t) => {
  const memo = new Kept();
  const solver = { method: runs["bit-split"].solver, ops, seed: 1 };
  const { bytes: expected } = await quantized(bytes, arrays, { weights: 3, solver, memo });
  for (const key of memo.known.keys())
    memo.known.set(key, JSON.stringify({ codes: "AAAA", steps: "", method: "nearest" }));
  const { bytes: again } = await quantized(bytes, arrays, { weights: 3, solver, memo });
  t.strictSame(Buffer.from(again), Buffer.from(expected));
});
