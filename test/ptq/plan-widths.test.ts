import t from "tap";
import { unwatched } from "../../src/core/progress.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { budgetText, parseBudget } from "../../src/ptq/budget-text.ts";
import type { ModelPlan } from "../../src/ptq/plan-model.ts";
import { encodePlain, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, integers, quantized, sampleArray } from "../fixtures/ptq.ts";

/** Layers of one size: one whose output hardly counts, others whose outputs count, and one that is fixed. */
const model: PlainModel = {
  opset: 13,
  inputs: [{ name: "x", shape: ["n", 64] }],
  outputs: [{ name: "y" }],
  nodes: [
    { opType: "MatMul", name: "first", input: ["x", "w1"], output: ["m1"] },
    { opType: "MatMul", name: "second", input: ["m1", "w2"], output: ["m2"] },
    { opType: "MatMul", name: "faint", input: ["x", "w3"], output: ["m3"] },
    { opType: "Add", input: ["m2", "m3"], output: ["sum"] },
    { opType: "MatMul", name: "last", input: ["sum", "w4"], output: ["y"] },
  ],
  tensors: [floats("w1", [64, 64]), floats("w2", [64, 64]), floats("w3", [64, 64], 0.01), floats("w4", [64, 64])],
};
const arrays = new Map([["x", sampleArray("x", [32, 64])]]);
const bytes = encodePlain(model);

const within = (budget: string, table: ModelPlan["table"] | null = null) =>
  quantized(bytes, arrays, { budget: { limit: parseBudget(budget), table } });

t.test("the width is taken from where it counts least", async (t) => {
  const { layers, plan } = await within("avg:3.5");
  const bits = Object.fromEntries(layers.map(({ name, bits }) => [name, bits]));
  t.equal(bits.faint, 2);
  t.ok(Object.values(bits).reduce((sum, width) => sum + width, 0) <= 14, JSON.stringify(bits));
  t.equal(plan?.table.measured, "outputs");
  for (const { choices } of plan!.table.weights) {
    const [two, four, eight] = choices.map(({ harm }) => harm);
    t.ok(two! > four! && four! > eight!, "fewer bits harm more");
  }
});

for (const [budget, width] of [
  ["avg:2", 2],
  ["12.5%", 4],
  ["25%", 8],
] as const) {
  t.test(`within ${budget} no plan that was looked at is better, uniform ones among them`, async (t) => {
    const { plan } = await within(budget);
    const [best, ...others] = plan!.plans;
    t.ok(plan!.plans.some(({ bits }) => bits.every((one) => one === width)));
    for (const { error } of others) t.ok(best!.error! <= error!);
    t.ok(best!.bytes <= (4 * 4096 * width) / 8);
  });
}

t.test("what was measured serves any budget", async (t) => {
  const first = await within("avg:8");
  const { plan, layers } = await within("avg:4", first.plan!.table);
  t.strictSame(plan!.table, first.plan!.table);
  t.ok(layers.reduce((sum, { bits }) => sum + bits, 0) <= 16);
  t.ok(
    plan!.plans.every(({ error }) => error === null),
    "nothing was measured",
  );
});

t.test("without data the error of the weights counts", async (t) => {
  const { plan } = await quantized(bytes, arrays, {
    blind: true,
    budget: { limit: parseBudget("avg:4"), table: null },
  });
  t.equal(plan?.table.measured, "weights");
  t.ok(plan!.plans[0]!.bytes <= 8192);
});

t.test("layers with bits of their own keep them", async (t) => {
  const limit = parseBudget("avg:6");
  const { layers } = await quantized(bytes, arrays, {
    ...{ budget: { limit, table: null }, bitsOf: (name) => (name === "faint" ? 8 : null) },
  });
  t.equal(layers.find(({ name }) => name === "faint")?.bits, 8);
});

t.test("bytes are those of the file", async (t) => {
  const [small, large] = await Promise.all(["avg:2", "avg:8"].map((budget) => within(budget)));
  const limit = Math.floor((small!.bytes.length + large!.bytes.length) / 2);
  const found = await quantized(bytes, arrays, {
    activations: 8,
    budget: { limit: { bytes: limit + 2000 }, table: null },
  });
  t.ok(found.bytes.length <= limit + 2000);
  const weights = await within(`${limit}B`);
  t.ok(
    weights.bytes.length <= limit && weights.bytes.length > small!.bytes.length,
    `${weights.bytes.length} of ${limit}`,
  );
  await t.rejects(within("100B"), { message: /--budget 100B: the file takes at least [0-9]+ bytes/ });
  await t.rejects(within("avg:1"), { message: /weights take at least 4096 bytes, of 2048/ });
});

t.test("a budget that nothing meets is refused before anything is measured", async (t) => {
  const stages: string[] = [];
  const watch = { ...unwatched, stage: (label: string) => void stages.push(label) };
  for (const budget of ["100B", "avg:1", "bops:0.1%"]) {
    const options = { budget: { limit: parseBudget(budget), table: null }, watch };
    await t.rejects(quantized(bytes, arrays, options), { message: /at least .*: give it more, or skip fewer layers/ });
  }
  t.strictSame(stages, []);
});

/** A table that two nodes look up, and a third multiplies by. */
const shared: PlainModel = {
  opset: 13,
  inputs: [{ name: "x", shape: ["n", 64] }],
  outputs: [{ name: "y" }],
  nodes: [
    { opType: "Gather", name: "here", input: ["table", "rows"], output: ["a"] },
    { opType: "Gather", name: "there", input: ["table", "others"], output: ["b"] },
    { opType: "Add", input: ["a", "b"], output: ["both"] },
    { opType: "MatMul", name: "product", input: ["x", "w"], output: ["m"] },
    { opType: "Add", input: ["m", "both"], output: ["sum"] },
    {
      ...{ opType: "Gemm", name: "back", input: ["sum", "table"], output: ["y"] },
      attribute: [{ name: "transB", type: 2, i: 1 }],
    },
  ],
  tensors: [floats("table", [200, 64]), floats("w", [64, 64]), integers("rows", [3]), integers("others", [5])],
};

t.test("what several nodes read is written once, and a budget of bytes holds", async (t) => {
  const { bytes: whole, layers } = await quantized(encodePlain(shared), arrays, { weights: 4 });
  t.strictSame(
    layers.map(({ name, bits }) => [name, bits]),
    ["here", "there", "product", "back"].map((name) => [name, 4]),
  );
  const names = readModel(whole, "it").graph.initializer.map(({ name }) => name);
  t.equal(names.filter((name) => name.startsWith("table.") && name.includes("step")).length, 2, `${names}`);
  for (const activations of [8, 32] as const) {
    const least = (await quantized(encodePlain(shared), arrays, { weights: 2, activations })).bytes.length;
    for (const limit of [least, least + 2000, least + 6000, least + 20_000]) {
      const budget = { limit: { bytes: limit }, table: null };
      const { bytes: written } = await quantized(encodePlain(shared), arrays, { activations, budget });
      t.ok(written.length <= limit, `${written.length} of ${limit}, activations of ${activations} bits`);
    }
  }
});

t.test("layers that read one weight have one width", async (t) => {
  const bitsOf = (name: string) => (name === "there" ? 8 : null);
  const { layers } = await quantized(encodePlain(shared), arrays, { weights: 4, bitsOf });
  const bits = Object.fromEntries(layers.map(({ name, bits }) => [name, bits]));
  t.match(bits, { here: 8, there: 8, product: 4 });
  const apart = (name: string) => (name === "there" ? 8 : name === "here" ? 2 : null);
  await t.rejects(quantized(encodePlain(shared), arrays, { bitsOf: apart }), {
    name: "UsageError",
    message: /the layers "here" and "there" read one weight, and are to have 2 and 8 bits/,
  });
});

t.test("budgets as they are written", async (t) => {
  t.strictSame(parseBudget("25%"), { relativeBytes: 25 });
  t.strictSame(parseBudget("300kB"), { bytes: 300_000 });
  t.strictSame(parseBudget("1.5MiB"), { bytes: 1_572_864 });
  t.strictSame(parseBudget("avg:4"), { averageBits: 4 });
  t.strictSame(parseBudget("bops:3.5%"), { relativeBops: 3.5 });
  for (const text of ["25%", "12.5%", "300kB", "1536KiB", "2MB", "300001B", "avg:4", "bops:3%", "bops:2.25%"]) {
    t.equal(budgetText(parseBudget(text)), text);
  }
  for (const text of ["", "0%", "25", "avg:4%", "avg:", "-3kB", "3 kB", "1e3B", "bops:3", "bops:0%", "bops:3kB"]) {
    t.throws(() => parseBudget(text), { name: "UsageError", message: /--budget .*: expected percent/ }, text);
  }
});
