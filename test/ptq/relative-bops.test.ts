import t from "tap";
import { kernelsOf } from "../../src/export/kernels.ts";
import { parseBudget } from "../../src/ptq/budget-text.ts";
import { harmCurve } from "../../src/ptq/harm-curve.ts";
import type { QuantizeModelOptions } from "../../src/ptq/quantize-model.ts";
import type { SampleArray } from "../../src/ptq/samples.ts";
import { bytesOf } from "../fixtures/onnx/files.ts";
import { encodePlain, int, ints, node, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, integers, quantized, sampleArray } from "../fixtures/ptq.ts";

/** Quantizes within percent of the bit operations. */
const within = (
  percent: number,
  { model, arrays }: { readonly model: PlainModel | Uint8Array; readonly arrays: ReadonlyMap<string, SampleArray> },
  options: Partial<Pick<QuantizeModelOptions, "activations" | "skips" | "granularity" | "bitsOf" | "budget">> = {},
) =>
  quantized(model instanceof Uint8Array ? model : encodePlain(model), arrays, {
    ...{ activations: "budget", budget: { limit: { relativeBops: percent }, table: null } },
    ...options,
  });

type Found = Awaited<ReturnType<typeof within>>;

/** Bits of the written file's layers and of what they read, and so many multiply-accumulates of each, counted anew. */
function percentOf(
  { layers, grids }: Found,
  multiplied: Readonly<Record<string, { readonly macs: number; readonly reads: string }>>,
): number {
  let [spent, full] = [0, 0];
  for (const [name, { macs, reads }] of Object.entries(multiplied)) {
    const bits = layers.find((layer) => layer.name === name)!.bits;
    spent += macs * bits * (grids.get(reads)?.bits ?? 32);
    full += macs * 32 * 32;
  }
  return (100 * spent) / full;
}

const operators: Readonly<
  Record<string, { model: Omit<PlainModel, "outputs" | "opset">; shape: readonly number[]; macs: readonly number[] }>
> = {
  "a convolution with groups, strides and padding": {
    model: {
      inputs: [{ name: "x", shape: ["n", 4, 8, 8] }],
      nodes: [node("Conv", ["x", "w"], "y", [int("group", 2), ints("strides", [2, 1]), ints("pads", [1, 0, 1, 0])])],
      tensors: [floats("w", [6, 2, 3, 3])],
    },
    shape: [12, 4, 8, 8],
    // 6 channels of 4 × 6, each a sum of 2 · 3 · 3.
    macs: [6 * 24 * 18],
  },
  "a transposed convolution": {
    model: {
      inputs: [{ name: "x", shape: ["n", 3, 5, 5] }],
      nodes: [node("ConvTranspose", ["x", "w"], "y", [ints("strides", [2, 2])])],
      tensors: [floats("w", [3, 4, 2, 2])],
    },
    shape: [12, 3, 5, 5],
    // Each of 3 · 25 numbers meets 4 · 2 · 2.
    macs: [75 * 16],
  },
  "dense layers, also turned and with a bias": {
    model: {
      inputs: [{ name: "x", shape: ["n", 5, 16] }],
      nodes: [
        node("MatMul", ["x", "w1"], "m"),
        node("Reshape", ["m", "shape"], "flat"),
        node("Gemm", ["flat", "w2", "b"], "g", [int("transB", 1)]),
        node("Gemm", ["g", "w3"], "y"),
      ],
      tensors: [
        ...[floats("w1", [16, 8]), integers("shape", [-1, 40]), floats("w2", [12, 40]), floats("b", [12])],
        floats("w3", [12, 6]),
      ],
    },
    shape: [20, 5, 16],
    macs: [5 * 8 * 16, 12 * 40, 6 * 12],
  },
  "a product by several matrices": {
    model: {
      inputs: [{ name: "x", shape: ["n", 3, 4, 8] }],
      nodes: [node("MatMul", ["x", "w"], "y")],
      tensors: [floats("w", [3, 8, 5])],
    },
    shape: [12, 3, 4, 8],
    macs: [3 * 4 * 5 * 8],
  },
  "a recurrent layer, and a table": {
    model: {
      inputs: [{ name: "x", shape: ["n", 7, 8] }],
      nodes: [
        node("Transpose", ["x"], "steps", [ints("perm", [1, 0, 2])]),
        node("GRU", ["steps", "w", "r"], "states", [int("hidden_size", 5)]),
        node("Gather", ["table", "rows"], "looked"),
        node("ReduceMean", ["looked"], "mean"),
        node("Squeeze", ["states"], "flat", [ints("axes", [1])]),
        node("Transpose", ["flat"], "own", [ints("perm", [1, 0, 2])]),
        node("Add", ["own", "mean"], "y"),
      ],
      tensors: [floats("w", [1, 15, 8]), floats("r", [1, 15, 5]), floats("table", [20, 8]), integers("rows", [3, 4])],
    },
    shape: [12, 7, 8],
    // 7 steps by the numbers of either weight.
    macs: [7 * 15 * 8, 7 * 15 * 5],
  },
};

for (const [what, { model, shape, macs }] of Object.entries(operators)) {
  t.test(`multiply-accumulates for one sample: ${what}`, async (t) => {
    const own = { ...model, opset: 12, outputs: [{ name: "y" }] };
    const { plan } = await within(25, { model: own, arrays: new Map([["x", sampleArray("x", shape)]]) });
    t.strictSame(
      plan!.table.products.map((product) => product.macs),
      macs,
    );
  });
}

/** Two layers read one value, two share a weight, and one is of no size that counts. */
const dense: PlainModel = {
  opset: 13,
  inputs: [{ name: "x", shape: ["n", 64] }],
  outputs: [{ name: "y" }],
  nodes: [
    node("MatMul", ["x", "w1"], "m1"),
    node("Relu", ["m1"], "r1"),
    node("MatMul", ["r1", "w2"], "m2"),
    node("MatMul", ["r1", "w3"], "m3"),
    node("MatMul", ["m2", "w3"], "m4"),
    node("Sub", ["m3", "m4"], "sum"),
    node("MatMul", ["sum", "w5"], "y"),
  ],
  tensors: [floats("w1", [64, 64]), floats("w2", [64, 64], 0.1), floats("w3", [64, 64]), floats("w5", [64, 16])],
};
const rows = new Map([["x", sampleArray("x", [40, 64])]]);
const multiplied = {
  m1: { macs: 4096, reads: "x" },
  m2: { macs: 4096, reads: "r1" },
  m3: { macs: 4096, reads: "r1" },
  m4: { macs: 4096, reads: "m2" },
  y: { macs: 1024, reads: "sum" },
};

for (const percent of [1.6, 2, 3.3, 6.25, 12]) {
  t.test(`within ${percent} % by a count of what is written, and no plan that was looked at is better`, async (t) => {
    const found = await within(percent, { model: dense, arrays: rows });
    const { plan, layers, outputs, grids } = found;
    const [best, ...others] = plan!.plans;
    const counted = percentOf(found, multiplied);
    t.ok(counted <= percent, `${counted}`);
    t.ok(Math.abs(best!.relativeBops! - counted) < 1e-9, `recorded ${best!.relativeBops}, counted ${counted}`);
    t.equal(found.bits.relativeBops, best!.relativeBops);
    for (const { error, relativeBops } of others) {
      t.ok(best!.error! <= error!);
      t.ok(relativeBops! <= percent);
    }
    t.ok(
      plan!.plans.some(({ bits, activations }) => new Set(bits).size + new Set(activations).size === 2),
      "uniform",
    );
    // The samples are those that plans are measured on: the written file has the plan's error.
    const db = -10 * Math.log10(best!.error!);
    t.ok(Math.abs(outputs[0]!.sqnrDb! - db) < 0.05, `${outputs[0]!.sqnrDb} dB written, ${db} dB measured`);
    const bitsOf = (value: string) => grids.get(value)?.bits ?? 32;
    for (const { name, integer } of layers) {
      const given = name === "m1" ? "r1" : name;
      // What goes onto a grid of 16 bits comes out of a float kernel.
      const isNarrow = bitsOf(multiplied[name as keyof typeof multiplied].reads) === 8 && bitsOf(given) !== 16;
      t.equal(integer, isNarrow, name);
    }
    t.equal((await kernelsOf(found.bytes)).integer, layers.filter(({ integer }) => integer).length);
  });
}

t.test("harms: fewer bits harm more, and in float nothing does", async (t) => {
  const { plan } = await within(3, { model: dense, arrays: rows });
  t.strictSame(
    plan!.table.activations.map(({ name }) => name),
    ["x", "r1", "m2", "sum"],
  );
  for (const { choices } of plan!.table.activations) {
    t.strictSame(
      choices.map(({ bits }) => bits),
      [8, 16, 32],
    );
    const [eight, sixteen, float] = choices.map(({ harm }) => harm);
    t.ok(eight! > 100 * sixteen! && sixteen! > 0 && float === 0, `${eight}, ${sixteen}`);
  }
});

t.test("what was measured serves any budget of bit operations, and the curve's are those plans", async (t) => {
  const first = await within(3, { model: dense, arrays: rows });
  const { table, plans } = first.plan!;
  const curve = harmCurve(table, plans[0]!);
  t.ok(curve.length > 8);
  t.equal(curve[0]!.budget, "bops:1.57%");
  const percents = curve.map(({ budget }) => Number.parseFloat(budget.replace("bops:", "")));
  const odd = percents.filter((percent) => percent % (percent < 8 ? 0.5 : 1) !== 0);
  t.ok(odd.length <= 2 && percents.some((percent) => percent % 1 === 0.5), `half and whole percents: ${percents}`);
  t.equal(curve.at(-1)!.harm, Math.min(...curve.map(({ harm }) => harm)));
  for (const { budget, bits, activations, relativeBops } of curve.slice(0, 4)) {
    const limit = parseBudget(budget);
    const { plan } = await within(0, { model: dense, arrays: rows }, { budget: { limit, table } });
    t.match(plan!.plans, [{ bits, activations, relativeBops, error: null }], budget);
    t.ok(relativeBops! <= ("relativeBops" in limit ? limit.relativeBops : 0));
  }
});

t.test("activations of a given width: weights alone are chosen", async (t) => {
  for (const [activations, least] of [
    [8, 1.57],
    [16, 3.13],
    [32, 6.25],
  ] as const) {
    const found = await within(2 * least, { model: dense, arrays: rows }, { activations });
    t.ok(percentOf(found, multiplied) <= 2 * least);
    t.strictSame(
      [...new Set([...found.grids.values()].map(({ bits }) => bits))],
      activations === 32 ? [] : [activations],
    );
    await t.rejects(within(1, { model: dense, arrays: rows }, { activations }), {
      name: "UsageError",
      message: `--budget bops:1%: the network takes at least ${least} % of the bit operations at 32 bits everywhere: give it more, or skip fewer layers`,
    });
  }
});

t.test("layers that are skipped multiply in 32 bits", async (t) => {
  const skips = (name: string) => name === "y";
  // 1024 of 17408 in float: 5.88 %, and all else in 2 × 8 bits at best.
  await t.rejects(within(7, { model: dense, arrays: rows }, { skips }), { message: /takes at least 7\.36 %/ });
  const { plan, grids } = await within(8, { model: dense, arrays: rows }, { skips });
  t.strictSame(plan!.table.products.at(-1), { weight: null, activation: null, macs: 1024 });
  t.notOk(grids.has("sum"));
});

t.test("without data it is refused", async (t) => {
  const budget = { limit: { relativeBops: 3 }, table: null };
  await t.rejects(quantized(encodePlain(dense), rows, { blind: true, activations: "budget", budget }), {
    name: "UsageError",
    message: /--budget bops:3%: it needs data/,
  });
});

/** Two convolutions; what the second gives is read by no layer. */
const convolutions = (opset: number): PlainModel => ({
  opset,
  inputs: [{ name: "x", shape: ["n", 3, 8, 8] }],
  outputs: [{ name: "y" }],
  nodes: [
    node("Conv", ["x", "w1", "b1"], "c1"),
    node("Relu", ["c1"], "r1"),
    node("Conv", ["r1", "w2"], "c2"),
    opset < 11 ? node("Clip", ["c2"], "clipped", [{ name: "min", type: 1, f: -1 }]) : node("Tanh", ["c2"], "clipped"),
    node("Sigmoid", ["clipped"], "y"),
  ],
  tensors: [floats("w1", [8, 3, 3, 3], 0.3), floats("b1", [8]), floats("w2", [6, 8, 3, 3], 0.3)],
});
const images = new Map([["x", sampleArray("x", [20, 3, 8, 8])]]);

t.test("what a convolution gives and no layer reads is on a grid where the convolution reads 8 bits", async (t) => {
  const model = convolutions(13);
  const seen = new Set<number>();
  const { table } = (await within(3, { model, arrays: images })).plan!;
  for (const ofLast of [8, 16, 32] as const) {
    // One choice of widths is left.
    const only = [8, ofLast] as const;
    const activations = table.activations.map((one, item) => ({
      ...one,
      choices: one.choices.filter(({ bits }) => bits === only[item]),
    }));
    const budget = { limit: { relativeBops: 25 }, table: { ...table, activations } };
    const { grids, layers, bytes } = await within(25, { model, arrays: images }, { budget });
    t.strictSame([grids.get("x")?.bits, grids.get("r1")?.bits ?? 32], [8, ofLast]);
    t.equal(grids.get("c2")?.bits, ofLast === 8 ? 8 : undefined);
    // A kernel of integers reads and gives 8 bits.
    t.strictSame(
      layers.map(({ integer }) => integer),
      [ofLast === 8, ofLast === 8],
    );
    t.equal((await kernelsOf(bytes)).integer, ofLast === 8 ? 2 : 0);
    seen.add(ofLast);
  }
  t.equal(seen.size, 3);
});

t.test("a file that cannot be raised to the operator set of 16 bits gets 8 or float", async (t) => {
  const { notes, plan, grids } = await within(5, { model: convolutions(10), arrays: images });
  t.match(notes.join(), /activations get 8 bits or stay in float: it is of operator set 10, and has Clip/);
  for (const { choices } of plan!.table.activations)
    t.strictSame(
      choices.map(({ bits }) => bits),
      [8, 32],
    );
  t.ok([...grids.values()].every(({ bits }) => bits === 8));
  const old = await within(7, { model: convolutions(9), arrays: images });
  t.match(old.notes.join(), /activations get 8 bits or stay in float: it is of operator set 9, and has Clip/);
});

t.test("layers inside of subgraphs count each number of their weights once, and read floats", async (t) => {
  const graphOf = (name: string, weight: string) => ({
    ...{ name, type: 5 },
    g: { name, node: [node("MatMul", ["x", weight], `${name}.y`)], output: [{ name: `${name}.y` }] },
  });
  const model: PlainModel = {
    opset: 12,
    inputs: [{ name: "x", shape: ["n", 24] }],
    outputs: [{ name: "z" }],
    nodes: [
      node("ReduceSum", ["x"], "sum", [int("keepdims", 0)]),
      node("Greater", ["sum", "zero"], "large"),
      node("If", ["large"], "y", [graphOf("then_branch", "w1"), graphOf("else_branch", "w2")]),
      node("MatMul", ["x", "w3"], "own"),
      node("Add", ["y", "own"], "z"),
    ],
    tensors: [floats("zero", [], 0), floats("w1", [24, 24]), floats("w2", [24, 24]), floats("w3", [24, 24])],
  };
  const { plan } = await within(20, { model, arrays: new Map([["x", sampleArray("x", [16, 24])]]) });
  const { products, weights } = plan!.table;
  const byLayer = products.map(({ weight, ...product }) => ({ ...product, layer: weights[weight!]!.layers[0] }));
  t.strictSame(byLayer, [
    { activation: 0, macs: 576, layer: "own" },
    { activation: null, macs: 576, layer: "then_branch.y" },
    { activation: null, macs: 576, layer: "else_branch.y" },
  ]);
});

t.test("a network of PyTorch: shortcuts, convolutions that share what they read", async (t) => {
  const arrays = new Map([["images", sampleArray("images", [24, 3, 32, 32])]]);
  const found = await within(2.5, { model: bytesOf("pytorch-resnet-legacy"), arrays });
  const { table, plans } = found.plan!;
  const [best] = plans;
  t.ok(
    table.products.length > new Set(table.products.map(({ activation }) => activation)).size,
    "one value, two layers",
  );
  let [spent, full] = [0, 0];
  for (const { weight, activation, macs } of table.products) {
    const own = found.layers.find(({ name }) => table.weights[weight!]!.layers.includes(name))!;
    spent += macs * own.bits * (found.grids.get(table.activations[activation!]!.name)?.bits ?? 32);
    full += macs * 1024;
  }
  t.ok((100 * spent) / full <= 2.5 && Math.abs((100 * spent) / full - best!.relativeBops!) < 1e-9);
  const db = -10 * Math.log10(best!.error!);
  t.ok(Math.abs(found.outputs[0]!.sqnrDb! - db) < 0.3, `${found.outputs[0]!.sqnrDb} dB written, ${db} dB measured`);
  t.equal((await kernelsOf(found.bytes)).integer, found.layers.filter(({ integer }) => integer).length);
});
