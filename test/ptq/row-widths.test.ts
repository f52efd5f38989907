import t from "tap";
import { adaround, bitSplit } from "../../src/config/sections/methods/layerwise-settings.ts";
import type { LayerwiseSettings } from "../../src/methods/layerwise/create-layerwise.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { parseBudget } from "../../src/ptq/budget-text.ts";
import type { HarmTable } from "../../src/ptq/harm-table.ts";
import { chooserOf, sumOver } from "../../src/ptq/width-budget.ts";
import { channelBytes } from "../../src/quantization/channel-bytes.ts";
import type { WeightBits } from "../../src/quantization/weight-grid.ts";
import type { WeightWidths } from "../../src/quantization/weight-widths.ts";
import type { WidthGranularity } from "../../src/quantization/width-granularity.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { encodePlain, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

const { ops } = await anyEngine();

const INPUTS = 96;
const OUTPUTS = 24;

/** Numbers that are larger from one output channel to the next, in no order. */
const uneven = (name: string) => {
  const { rawData = new Uint8Array(), ...tensor } = floats(name, [INPUTS, OUTPUTS]);
  const values = new Float32Array(rawData.buffer.slice(0));
  const scaled = values.map((value, index) => value * 1.4 ** ((5 * (index % OUTPUTS)) % 16));
  return { ...tensor, rawData: new Uint8Array(scaled.buffer) };
};

const model: PlainModel = {
  opset: 13,
  inputs: [{ name: "x", shape: ["n", INPUTS] }],
  outputs: [{ name: "y" }, { name: "z" }],
  nodes: [
    { opType: "MatMul", name: "first", input: ["x", "w1"], output: ["y"] },
    { opType: "MatMul", name: "second", input: ["x", "w2"], output: ["z"] },
  ],
  tensors: [uneven("w1"), uneven("w2")],
};
const bytes = encodePlain(model);
const arrays = new Map([["x", sampleArray("x", [32, INPUTS])]]);

const within = (budget: string, granularity: WidthGranularity, more: Parameters<typeof quantized>[2] = {}) =>
  quantized(bytes, arrays, {
    budget: { limit: parseBudget(budget), table: null, rows: { granularity, engine: { ops, seed: 1 } } },
    ...more,
  });

const parsed = (digits: string | undefined) => Array.from(digits ?? "", Number);

t.test("output channels of their own width lose less at as many bytes", async (t) => {
  const tensor = await within("9%", "tensor");
  const group = await within("9%", { group: 4 });
  const channel = await within("9%", "channel");
  const error = ({ plan }: typeof tensor) => plan!.plans[0]!.error!;
  t.ok(error(channel) < 0.7 * error(tensor), `${error(channel)}, whole ${error(tensor)}`);
  t.ok(error(channel) <= error(group) && error(group) <= error(tensor));
  for (const { layers } of [tensor, group, channel]) {
    const all = layers.reduce((sum, { bytes }) => sum + bytes, 0);
    t.ok(all <= 0.09 * 4 * 2 * INPUTS * OUTPUTS, "codes and order are within the budget");
  }
  for (const { channelBits } of group.layers) {
    const widths = parsed(channelBits);
    t.ok(widths.every((bits, channel) => bits === widths[channel - (channel % 4)]));
  }
});

t.test("a table with rows tells no more harm than one of whole weights, for any budget", async (t) => {
  for (const blind of [true, false]) {
    const { plan } = await within("avg:4", "channel", { blind });
    const { table } = plan!;
    const whole: HarmTable = {
      ...table,
      weights: table.weights.map((weight) => ({
        ...weight,
        choices: weight.choices.filter(({ channelBits }) => channelBits === undefined),
      })),
    };
    t.ok(table.weights.every(({ choices }) => choices.length > 10));
    for (const { numbers, choices } of table.weights) {
      const mixed = choices.filter(({ channelBits }) => channelBits !== undefined);
      for (const { channelBits, bytes } of mixed) {
        const { codes, order } = channelBytes(parsed(channelBits), numbers / OUTPUTS);
        t.equal(bytes, codes + order);
      }
      const harms = mixed.map(({ harm }) => harm);
      t.ok(
        harms.every((harm, index) => harm <= (harms[index - 1] ?? Number.POSITIVE_INFINITY)),
        `more bits harm no more: ${harms}`,
      );
    }
    const harm = (of: HarmTable, limit: number) => sumOver(of, chooserOf(of, "bytes")(limit)!, (one) => one.harm);
    for (let limit = 2 * ((INPUTS * OUTPUTS) / 4); limit < 2 * INPUTS * OUTPUTS; limit += 97) {
      t.ok(harm(table, limit) <= harm(whole, limit));
    }
  }
});

t.test("bytes are those of the file", async (t) => {
  const { bytes: written } = await within("4.6kB", "channel");
  t.ok(written.length <= 4600, `${written.length}`);
});

/** What a file's layers multiply by, [inputs, outputs]: each gives its weight for the rows of an identity. */
async function weightsOf(written: Uint8Array): Promise<readonly Float32Array[]> {
  await using session = await FileSession.load(written, "it");
  const identity = Float32Array.from({ length: INPUTS ** 2 }, (_, index) => (index % (INPUTS + 1) === 0 ? 1 : 0));
  const found = await session.run({ x: FileSession.tensor(identity, [INPUTS, INPUTS]) }, ["y", "z"]);
  return ["y", "z"].map((name) => found.get(name)!.data as Float32Array);
}

t.test("the file has the codes of the plan, and bits.json its widths", async (t) => {
  const { bytes: written, bits, layers, plan } = await within("10%", "channel");
  const weights = await weightsOf(written);
  const tensors = bits.tensors.flatMap((tensor) => (tensor.role === "weight" ? [tensor] : []));
  for (const [index, { bits: most, channelBits = [], scale, codes }] of tensors.entries()) {
    t.strictSame(channelBits, parsed(layers[index]!.channelBits));
    t.equal(most, Math.max(...channelBits));
    t.equal(plan!.plans[0]!.bits[index], channelBits.reduce<number>((sum, own) => sum + own, 0) / OUTPUTS);
    t.strictSame(codes, [1 - 2 ** (most - 1), 2 ** (most - 1) - 1]);
    for (const [channel, own] of channelBits.entries()) {
      const column = weights[index]!.filter((_, place) => place % OUTPUTS === channel);
      const found = column.map((value) => value / (scale as number[])[channel]!);
      t.ok(found.every((code) => Math.abs(code - Math.round(code)) < 1e-4));
      t.equal(Math.max(...found.map((code) => Math.abs(Math.round(code)))) <= 2 ** (own - 1) - 1, true);
    }
  }
});

t.test("in integer kernels too, which stay one for each layer", async (t) => {
  const { layers, outputs } = await within("12.5%", "channel", { activations: 8 });
  t.ok(layers.every(({ integer, channelBits }) => integer && channelBits !== undefined));
  for (const { sqnrDb } of outputs) t.ok(sqnrDb! > 12, `${sqnrDb} dB`);
});

t.test("a budget of bit operations takes them on average", async (t) => {
  const { plan } = await within("bops:3%", "channel", { activations: "budget" });
  const [chosen] = plan!.plans;
  t.ok(chosen!.relativeBops! <= 3);
  t.ok(
    chosen!.bits.some((bits) => !Number.isInteger(bits)),
    `${chosen!.bits}`,
  );
});

const given = Array.from({ length: OUTPUTS }, (_, channel): WeightBits => ([2, 4, 3, 8] as const)[(channel * 7) % 4]!);
const methods: readonly (LayerwiseSettings | null)[] = [
  null,
  bitSplit.parse({ name: "bit-split" }),
  adaround.parse({ name: "adaround", iterations: 20, learningRate: 0.02 }),
];

for (const method of methods) {
  t.test(`${method?.name ?? "nearest"} solves channels of a width as if all had it`, async (t) => {
    const solver = method && { method, ops, seed: 1 };
    const at = async (bits: WeightWidths) =>
      weightsOf((await quantized(bytes, arrays, { solver, bitsOf: () => bits })).bytes);
    const [mixed] = await at(given);
    for (const width of [2, 8] as const) {
      const [whole] = await at(width);
      const of = (values: Float32Array) => values.filter((_, place) => given[place % OUTPUTS] === width);
      const other = of(whole!);
      const differ = of(mixed!).filter(
        (value, index) => Math.abs(value - other[index]!) > 1e-5 * Math.abs(other[index]!),
      );
      // What AdaRound has not decided goes either way with the order of a sum.
      t.ok(
        differ.length <= (method?.name === "adaround" ? 0.02 : 0) * other.length,
        `${differ.length} of ${other.length}`,
      );
    }
  });
}

t.test("channels that all have one width are written as ever", async (t) => {
  const at = async (bits: WeightWidths) => (await quantized(bytes, arrays, { bitsOf: () => bits })).bytes;
  t.strictSame(await at(new Array<WeightBits>(OUTPUTS).fill(4)), await at(4));
});

t.test("a list of widths that is not as long as the layer has channels is refused", async (t) => {
  await t.rejects(quantized(bytes, arrays, { bitsOf: (name) => (name === "second" ? [2, 4] : null) }), {
    name: "UsageError",
    message:
      'it.onnx: bits.layers gives the layer "second" 2 widths, and its weight of 96×24 has 24 output channels: give one for each, or one number for all',
  });
});
