import fc from "fast-check";
import t from "tap";
import { compareLayers } from "../../../src/export/compare-layers.ts";
import { kernelsOf } from "../../../src/export/kernels.ts";
import { integerLayer } from "../../../src/export/onnx/integer-weight.ts";
import { lower } from "../../../src/export/onnx/lower.ts";
import { lowerInt8 } from "../../../src/export/onnx/lower-int8.ts";
import { onnxFile } from "../../../src/export/onnx/onnx-file.ts";
import { readModel } from "../../../src/export/onnx/read-model.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { randomImages } from "../../fixtures/frozen-networks.ts";
import { type SaturatingPlan, saturatingNetwork } from "../../fixtures/saturating-network.ts";

const { ops } = await anyEngine();

/** What the layer reads. */
const activations = [
  { bits: 8, signed: false },
  { bits: 8, signed: true },
  { bits: 4, signed: false },
  { bits: 2, signed: true },
] as const;

const plans: readonly SaturatingPlan[] = (["conv2d", "depthwise-conv2d", "dense"] as const).flatMap((kind) =>
  ([2, 3, 4, 8] as const).flatMap((weightBits) =>
    activations.flatMap((activation) =>
      // Multiples of 4 and of 16 channels go to kernels of their own.
      [5, 8, 16].flatMap((channels) => {
        const plan = { kind, weightBits, ...activation, channels, sign: channels === 8 ? -1 : 1 } as const;
        const raw = weightBits === 8 && activation.bits === 8;
        return raw ? [true, false].map((quantized) => ({ ...plan, quantized })) : [{ ...plan, quantized: true }];
      }),
    ),
  ),
);

// Processors that add products in 16 bits fail here; on others the law below stands alone.
t.test("the largest codes times the largest weights are what the trainer's kernels make of them", async (t) => {
  const options = { input: "uint8", saturation: "avoid", file: "a form", ops } as const;
  for (const plan of plans) {
    const network = saturatingNetwork(plan);
    for (const form of ["int8", "compact"] as const) {
      const lowered = lower(network, form, { ...options, metadata: {} });
      const runtime = onnxFile({ file: form, model: readModel(lowered.bytes, form) });
      const compared = compareLayers({ ...options, runtime, lowered, test: randomImages(network, 1) });
      await t.resolves(compared, `${form}: ${JSON.stringify(plan)}`);
    }
  }
});

t.test("no two products of an int8 weight's output channel leave 16 bits", async (t) => {
  const layers = fc.record({
    bits: fc.constantFrom(2 as const, 3 as const, 4 as const, 8 as const),
    // Of pixels and 8 bits; of signed tensors in unsigned containers; of short unsigned grids.
    highest: fc.constantFrom(255, 135, 129, 15, 3),
    outputs: fc.integer({ min: 1, max: 3 }),
    shares: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 6, maxLength: 30 }),
    bias: fc.double({ min: -1, max: 1, noNaN: true }),
    shared: fc.boolean(),
  });
  let stored = 0;
  const law = ({
    bits,
    highest,
    outputs,
    shares,
    bias,
    shared,
  }: typeof layers extends fc.Arbitrary<infer T> ? T : never) => {
    const terms = Math.floor(shares.length / outputs);
    const outermost = 2 ** (bits - 1) - 1;
    const codes = Int32Array.from(shares.slice(0, terms * outputs), (share) => Math.round(share * outermost));
    const weight = { bits, channelBits: null, scale: 0.01, shape: [terms, outputs], codes };
    const layer = { weight, bias: new Float32Array(outputs).fill(bias), input: { scale: 0.01, highest } };
    const integer = integerLayer({ ...layer, container: "int8", pairs: true, saturation: "avoid", shared });
    if (integer === null) {
      if (bits !== 8 || highest < 129) throw new Error("whole multiples of short codes always fit");
      return;
    }
    stored++;
    const { multiples } = integer;
    const multiplied = codes.map(
      (code, index) => code * (typeof multiples === "number" ? multiples : multiples[index % outputs]!),
    );
    multiplied.forEach((first, index) => {
      for (let other = index + outputs; other < codes.length; other += outputs) {
        for (const [a, b] of [
          [highest, highest],
          [highest, 0],
          [0, highest],
        ] as const) {
          const sum = a * first + b * multiplied[other]!;
          if (sum > 32767 || sum < -32768) throw new Error(`${a} · ${first} + ${b} · ${multiplied[other]} = ${sum}`);
        }
      }
    });
  };
  t.doesNotThrow(() => fc.assert(fc.property(layers, law), { seed: 12, numRuns: 2000 }));
  t.ok(stored > 1000, "int8 holds most");
});

t.test("weights that could leave 16 bits are uint8, and run in the same operators", async (t) => {
  for (const kind of ["conv2d", "depthwise-conv2d", "dense"] as const) {
    const plan = { kind, weightBits: 8, bits: 8, signed: false, channels: 8, sign: 1, quantized: true } as const;
    const { bytes } = lowerInt8(saturatingNetwork(plan), { input: "uint8", saturation: "avoid", metadata: {} });
    const { integer, float } = await kernelsOf(bytes);
    t.same({ integer, float }, { integer: kind === "dense" ? 3 : 2, float: kind === "dense" ? [] : ["logits"] }, kind);
  }
});
