import t from "tap";
import { kernelsOf } from "../../src/export/kernels.ts";
import { parseBudget } from "../../src/ptq/budget-text.ts";
import { harmCurve } from "../../src/ptq/harm-curve.ts";
import { dense, multiplied, percentOf, rows, within } from "../fixtures/bops.ts";
import { bytesOf } from "../fixtures/onnx/files.ts";
import { encodePlain, node, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

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

t.test("a file that multiplies nothing is refused", async (t) => {
  const model: PlainModel = {
    ...{ opset: 13, inputs: [{ name: "x", shape: ["n"], type: 7 }], outputs: [{ name: "y" }] },
    nodes: [node("Gather", ["table", "x"], "y")],
    tensors: [floats("table", [20, 8])],
  };
  const arrays = new Map([["x", { shape: [12], data: BigInt64Array.from({ length: 12 }, (_, row) => BigInt(row)) }]]);
  await t.rejects(within(5, { model, arrays }), {
    name: "UsageError",
    message: /--budget bops:5%: it\.onnx multiplies nothing by its weights; give bytes or bits/,
  });
});
