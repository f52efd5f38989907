import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { silent } from "../../src/core/progress.ts";
import { exportFile } from "../../src/export/export-file.ts";
import { isFrozenLayer } from "../../src/export/frozen-network.ts";
import type { BackwardPass, QuantizationParameters } from "../../src/graph/node-kind.ts";
import type { QuantizerNode } from "../../src/kinds/quantizer.ts";
import { quantizer } from "../../src/kinds/quantizer.ts";
import { type BitWidth, clipFactor } from "../../src/quantization/levels.ts";
import { anyEngine, freeing, nativeMissing, near, random } from "../fixtures/engines.ts";
import { randomImages } from "../fixtures/frozen-networks.ts";
import { disposeModel, freezeModel, narrowNetworks, randomModel } from "../fixtures/random-models.ts";
import { classifying, sameClassOf } from "../fixtures/tasks.ts";

const { ops } = await anyEngine();
const rows = 6;
const node: QuantizerNode = {
  ...{ kind: "quantizer", id: "q", inputs: ["w"], role: "weight", signed: true },
  ...{ rectifies: false, limit: null },
};

/** Output and gradients of a weight [rows, channels] at one bit-width and one mixed with 2 bits. */
function pass(
  weight: Float32Array,
  upstream: Float32Array,
  channels: number,
  { gates = null, ...ranges }: Partial<QuantizationParameters> & { gates?: Float32Array | null },
) {
  const learned = { range: new Float64Array(), levels: new Map<number, number>(), channels: new Float64Array() };
  const setting: QuantizationParameters = {
    ...{ xMax: 1, ranges: null },
    terms: [
      { bits: 2, weight: 0.25 },
      { bits: 8, weight: 0.75 },
    ],
    wanted: [2, 8],
    ...ranges,
  };
  return freeing(ops, () => {
    const factor = gates && ops.tensor(gates, [channels]);
    const hearing = {
      ops,
      quantizer: () => setting,
      factor: () => factor,
      wantsFactor: () => factor !== null,
      range: (_: string, inner: ArrayLike<number>) => {
        learned.range = Float64Array.from(inner);
      },
      level: (_: string, bits: BitWidth, [inner]: readonly number[]) => learned.levels.set(bits, inner!),
      decoded: () => {},
      factorGradient: (_: string, inner: ArrayLike<number>) => {
        learned.channels = Float64Array.from(inner);
      },
    } as unknown as BackwardPass;
    const [x, g] = [weight, upstream].map((values) => ops.tensor(values, [rows, channels]));
    const { output, saved } = quantizer.forward(node, [x!], hearing);
    const values = Float32Array.from(ops.read(output));
    const [byX] = quantizer.backward(node, g!, saved, hearing, [true]);
    return { values, byX: Float32Array.from(ops.read(byX!)), ...learned };
  });
}

const column = (values: Float32Array, channels: number, channel: number) =>
  values.filter((_, index) => index % channels === channel);

t.test("a range for each channel is a quantizer for each channel", (t) => {
  // Powers of two: dividing by them is exact, so that no element lies on the other side of a rounding boundary.
  const power = fc.integer({ min: -4, max: 3 }).map((exponent) => 2 ** exponent);
  const gate = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0.05, max: 0.95, noNaN: true }));
  const cases = fc.record({
    ranges: fc.array(power, { minLength: 1, maxLength: 5 }),
    gates: fc.option(fc.array(gate, { minLength: 5, maxLength: 5 })),
    seed: fc.nat(1000),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(cases, ({ ranges, gates, seed }) => {
        const channels = ranges.length;
        const gatesOf = (from: number, to: number) => ({
          gates: gates && Float32Array.from(gates.slice(from, to)),
        });
        const [weight, upstream] = [2, 1].map((scale) => random(seed, `${scale}`, [rows, channels], scale));
        const whole = pass(weight!, upstream!, channels, {
          ranges: Float32Array.from(ranges),
          xMax: Math.max(...ranges),
          ...gatesOf(0, channels),
        });
        const levels = new Map([2, 8].map((bits) => [bits, 0]));
        ranges.forEach((xMax, channel) => {
          const [w, g] = [weight!, upstream!].map((values) => column(values, channels, channel));
          const alone = pass(w!, g!, 1, { xMax, ...gatesOf(channel, channel + 1) });
          if (`${column(whole.values, channels, channel)}` !== `${alone.values}`) throw new Error("values differ");
          if (`${column(whole.byX, channels, channel)}` !== `${alone.byX}`) throw new Error("gradients differ");
          near([whole.range[channel]!], alone.range, 1e-5);
          near(whole.channels.slice(channel, channel + 1), alone.channels, 1e-5);
          for (const [bits, inner] of alone.levels) levels.set(bits, levels.get(bits)! + inner);
        });
        near([...whole.levels.values()], [...levels.values()], 1e-5);
      }),
      { seed: 3, numRuns: 40 },
    ),
  );
  t.end();
});

t.test("the range's gradient is that of its definition", (t) => {
  // Clipped elements are ±r·(grid's end); inside, x_q = r·Q(x/r) has the slope Q - (x/r) in r.
  const ranges = [0.3, 0.7, 1.9];
  const [weight, upstream] = [random(4, "w", [rows, 3], 1), random(4, "g", [rows, 3], 1)];
  const terms = [{ bits: 8 as const, weight: 1 }];
  const { values, range } = pass(weight, upstream, 3, { ranges: Float32Array.from(ranges), terms, wanted: [] });
  const expected = ranges.map((r, channel) => {
    let sum = 0;
    weight.forEach((x, index) => {
      if (index % 3 !== channel) return;
      const inside = Math.abs(x) < r * clipFactor;
      sum += upstream[index]! * (values[index]! - (inside ? x : 0));
    });
    return sum;
  });
  near(range, expected, 1e-5);
  t.end();
});

t.test("networks with ranges per channel export and verify", { skip: nativeMissing() }, async (t) => {
  const folder = t.testdir();
  for (const name of ["lenet5", "resnet20-B", "mobilenetv2"]) {
    const model = randomModel(ops, { network: narrowNetworks[name]!(), seed: 6, weightRanges: "per-channel" });
    const network = freezeModel(model);
    disposeModel(model);
    const scales = network.nodes
      .filter(isFrozenLayer)
      .flatMap(({ weight }) => ("scale" in weight ? [weight.scale] : []));
    t.ok(scales.length > 0 && scales.every((scale) => typeof scale !== "number" && scale.length > 0), name);
    // int8 moves biases by up to 1/32 of a step: MobileNetV2 is deep, and the logits of a random one lie side by side.
    for (const form of name === "mobilenetv2" ? (["packed"] as const) : (["packed", "int8"] as const)) {
      const options = { form, input: "uint8", metadata: {}, ops, reporter: silent } as const;
      const file = join(folder, `${name}.${form}.onnx`);
      const { verification } = await exportFile({
        ...options,
        network,
        file,
        test: randomImages(network, 10),
        agreement: classifying(network.classes.length).agreement(null),
      });
      t.equal(sameClassOf(verification!), 100, `${name}, ${form}`);
    }
  }
});
