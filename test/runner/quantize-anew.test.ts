import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadQuantize } from "../../src/config/load-quantize.ts";
import type { QuantizeSettings } from "../../src/config/quantize-schema.ts";
import { parseBudget } from "../../src/ptq/budget-text.ts";
import { quantizedBitsSchema } from "../../src/ptq/quantized-bits.ts";
import { readQuantizedRecord } from "../../src/ptq/read-quantized-record.ts";
import { quantizeAnew } from "../../src/runner/quantize-anew.ts";
import { quantizeFile } from "../../src/runner/quantize-file.ts";
import { npy } from "../fixtures/npy.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { sampleArray } from "../fixtures/ptq.ts";

const root = t.testdir();
const samples = join(root, "images.npy");
const images = sampleArray("images", [24, 1, 28, 28]).data as Float32Array;
writeFileSync(samples, npy("<f4", [24, 1, 28, 28], new Uint8Array(images.buffer)));

/** Quantizes a network of PyTorch, whose weights are rounded. */
const quantized = (name: string, bits: QuantizeSettings["bits"]) =>
  quantizeFile(
    { network: { file: pathOf("pytorch-cnn-legacy") }, data: { samples }, method: { name: "nearest" }, bits },
    { folder: join(root, name) },
  );
const anew = (from: string, budget: string) =>
  quantizeAnew(join(root, from), parseBudget(budget), {
    folder: join(root, `${from}-${budget.replaceAll(/\W/g, "")}`),
  });

await quantized("bops", { budget: { relativeBops: 3 } });
await quantized("fixed", { budget: { relativeBops: 3 }, activations: 8 });
await quantized("bytes", { budget: { relativeBytes: 12.5 } });

/** Percent of the bit operations of what a folder holds, from `bits.json` and the record's list of products. */
function counted(folder: string): number {
  const { plan } = readQuantizedRecord(folder);
  const { tensors } = quantizedBitsSchema.parse(JSON.parse(readFileSync(join(folder, "bits.json"), "utf8")));
  const bitsOf = (role: "weight" | "activation", fits: (tensor: (typeof tensors)[number]) => boolean) =>
    tensors.find((tensor) => tensor.role === role && fits(tensor))?.bits ?? 32;
  const { weights, activations, products } = plan!.table;
  let [spent, full] = [0, 0];
  for (const { weight, activation, macs } of products) {
    const ofWeight = bitsOf("weight", (one) => one.role === "weight" && one.layers[0] === weights[weight!]!.layers[0]);
    spent += macs * ofWeight * bitsOf("activation", ({ name }) => name === activations[activation!]!.name);
    full += macs * 32 * 32;
  }
  return (100 * spent) / full;
}

t.test("within percent of the bit operations, by the files that are written", async (t) => {
  const folder = join(root, "bops");
  const { plan, activations, layers, settings } = readQuantizedRecord(folder);
  const [best] = plan!.plans;
  t.equal(plan!.budget, "bops:3%");
  t.equal(settings.bits.activations, "budget");
  const percent = counted(folder);
  t.ok(percent <= 3 && Math.abs(best!.relativeBops! - percent) < 1e-9, `recorded ${best!.relativeBops}, ${percent}`);
  t.equal(plan!.table.activations.length, layers.length);
  for (const [item, { name }] of plan!.table.activations.entries()) {
    t.equal(activations.find((one) => one.name === name)?.bits ?? 32, best!.activations[item]);
  }
  const { bits } = loadQuantize(join(folder, "quantize.yaml"));
  t.match(bits, { budget: { relativeBops: 3 }, activations: "budget" });
});

t.test("another budget of bit operations takes the same table", async (t) => {
  const first = readQuantizedRecord(join(root, "bops"));
  const record = await anew("bops", "bops:2%");
  t.strictSame(record.plan!.table, first.plan!.table);
  t.ok(counted(join(root, "bops-bops2")) <= 2);
  t.match(record.settings.bits, { measured: join(root, "bops"), activations: "budget" });
  const resolved = join(root, "bops-bops2", "quantize.yaml");
  const again = await quantizeFile(loadQuantize(resolved), { folder: join(root, "again") });
  t.equal(again.files[0]!.sha256, record.files[0]!.sha256, "its configuration gives the same file");
});

t.test("a budget of bytes takes it where activations have one given width", async (t) => {
  const record = await anew("fixed", "12.5%");
  const [best] = record.plan!.plans;
  t.match(best, { activations: [], relativeBops: null });
  const numbers = record.plan!.table.weights.reduce((sum, weight) => sum + weight.numbers, 0);
  t.ok(best!.bytes <= numbers / 2);
  t.ok(record.activations.every(({ bits }) => bits === 8));
});

t.test("a table that does not hold what a budget needs is refused, with what to do", async (t) => {
  await t.rejects(anew("bops", "12.5%"), {
    name: "UsageError",
    message:
      /--budget 12\.5%: the activations of .*bops were chosen within a budget of bit operations, and one of bytes chooses none: expected bops:PERCENT%, or quantize .*\.onnx with --budget 12\.5% anew/,
  });
  await t.rejects(anew("bytes", "bops:3%"), {
    name: "UsageError",
    message:
      /bytes: its budget was 12\.5%, for which neither activations nor bit operations were measured: quantize .*\.onnx with --budget bops:3% anew/,
  });
  const bits = { budget: { relativeBops: 3 }, activations: 16, measured: join(root, "fixed") } as const;
  await t.rejects(quantized("other", bits), {
    name: "UsageError",
    message: /was measured with other settings: bits\.activations: 8 → 16/,
  });
});

t.test("a table of output channels serves other budgets, in plans of widths by channel", async (t) => {
  await quantized("rows", { budget: { relativeBytes: 12.5 }, granularity: { group: 2 } });
  const record = await anew("rows", "10%");
  t.strictSame(record.plan!.table, readQuantizedRecord(join(root, "rows")).plan!.table);
  t.match(record.settings.bits, { granularity: { group: 2 }, measured: join(root, "rows") });
  t.ok(record.layers.some(({ channelBits }) => channelBits !== undefined && /^((22)|(44)|(88))+$/.test(channelBits)));
  await t.rejects(
    quantized("other", { budget: { relativeBytes: 10 }, granularity: "channel", measured: join(root, "rows") }),
    { name: "UsageError", message: /was measured with other settings: bits\.granularity/ },
  );
});
