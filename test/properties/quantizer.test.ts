import fc from "fast-check";
import t from "tap";
import type { Ops, Tensor } from "../../src/engine/ops.ts";
import type { QuantizerNode } from "../../src/kinds/quantizer.ts";
import { quantizer as kind } from "../../src/kinds/quantizer.ts";
import { codeLimits, encode, roundHalfEven, stepSize } from "../../src/quantization/grid.ts";
import { type BitWidth, bitWidths } from "../../src/quantization/levels.ts";
import { ChannelGroups } from "../../src/quantizers/channel-groups.ts";
import { type GateSample, sampleOf } from "../../src/quantizers/gate-sample.ts";
import { GatedQuantizer } from "../../src/quantizers/gated-quantizer.ts";
import { anyEngine } from "../fixtures/engines.ts";

const seed = 20;
const runs = { seed, numRuns: 100 };
const { ops } = await anyEngine();

const range = fc.record({ xMax: fc.double({ min: 0.05, max: 20, noNaN: true }), signed: fc.boolean() });
const bits = fc.constantFrom<BitWidth>(2, 4, 8, 16);
const values = fc.array(fc.float({ min: -32, max: 32, noNaN: true }), { minLength: 4, maxLength: 64 });
const gate = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0.01, max: 0.99, noNaN: true }));
const gates = fc.tuple(gate, gate, gate, gate);

const standing = (value: number) => ({ value, derivative: 0 });
const sampleFor = (xMax: number, z: readonly number[], channels: readonly number[] | null = null): GateSample =>
  sampleOf(
    { xMax, ranges: null },
    { values: Float64Array.from(z), derivatives: new Float64Array(4) },
    channels?.map(standing) ?? null,
  );

/** x_q of the real quantizer node; one channel per element when there are channel gates. */
function quantize(ops: Ops, x: readonly number[], signed: boolean, sample: GateSample): Float32Array {
  const node: QuantizerNode = {
    kind: "quantizer",
    id: "q",
    inputs: ["x"],
    role: "weight",
    signed,
    rectifies: false,
    limit: null,
  };
  return ops.scope(
    () => {
      const { factor } = sample;
      const input: Tensor = ops.tensor(Float32Array.from(x), [1, x.length]);
      const pass = {
        ops,
        training: true,
        statistics: () => {
          throw new Error("no batch normalization here");
        },
        observe: () => {},
        codes: () => null,
        input: () => input,
        parameter: () => input,
        quantizer: () => sample.parameters,
        factor: () => factor && ops.tensor(factor, [x.length]),
      };
      return ops.read(kind.forward(node, [input], pass).output) as Float32Array;
    },
    () => [],
  );
}

/** The paper's sequential residuals: x_2 + z_4(e_4 + z_8(e_8 + …)), in double precision. */
function sequential(x: number, z: readonly number[], { xMax, signed }: { xMax: number; signed: boolean }): number {
  const high = xMax * (1 - 1e-7);
  const clipped = Math.min(high, Math.max(signed ? -high : 0, x));
  const [lowest, highest] = codeLimits(2, signed);
  let sum =
    Math.min(highest, Math.max(lowest, roundHalfEven(clipped / stepSize(2, { xMax, signed })))) *
    stepSize(2, { xMax, signed });
  let result = sum;
  let open = 1;
  bitWidths.slice(1).forEach((level, index) => {
    const step = stepSize(level, { xMax, signed });
    const residual = step * roundHalfEven((clipped - sum) / step);
    open *= z[index]!;
    sum += residual;
    result += open * residual;
  });
  return result;
}

/** Far enough from a tie of every level up to 8 bits that float32 cannot tip it. */
const clear = (x: number, domain: { xMax: number; signed: boolean }) =>
  ([2, 4, 8] as const).every((level) => {
    const code = Math.abs(x) / stepSize(level, domain);
    return Math.abs(code - Math.floor(code) - 0.5) > 1e-3;
  });

const law = (name: string, property: fc.IProperty<never> | fc.IPropertyWithHooks<never> | unknown) =>
  t.test(name, (t) => {
    t.doesNotThrow(() => fc.assert(property as fc.IProperty<unknown>, runs));
    t.end();
  });

law(
  "the telescoped sum equals the sequential residuals",
  fc.property(values, gates, range, (x, z, domain) => {
    const clean = x.filter((value) => clear(value, domain));
    fc.pre(clean.length > 0);
    const actual = quantize(ops, clean, domain.signed, sampleFor(domain.xMax, z));
    // A 16-bit code may tip in float32: half its step, and the precision of the range, is the allowance.
    const allowed = stepSize(16, domain) + 2e-6 * domain.xMax;
    return clean.every((value, index) => Math.abs(actual[index]! - sequential(value, z, domain)) <= allowed);
  }),
);

law(
  "output lies on the grid, at most half a step from the input inside the range",
  fc.property(values, bits, range, (x, width, domain) => {
    const step = stepSize(width, domain);
    const [lowest, highest] = codeLimits(width, domain.signed);
    const z = [4, 8, 16, 32].map((level) => (level <= width ? 1 : 0));
    const actual = quantize(ops, x, domain.signed, sampleFor(domain.xMax, z));
    return x.every((value, index) => {
      const code = actual[index]! / step;
      const onGrid =
        Math.abs(code - Math.round(code)) < 1e-6 * highest + 1e-5 && code > lowest - 0.01 && code < highest + 0.01;
      const inside = value >= (lowest - 0.5) * step && value <= (highest + 0.5) * step;
      return onGrid && (!inside || Math.abs(actual[index]! - Math.fround(value)) <= step * 0.5 + 4e-6 * domain.xMax);
    });
  }),
);

law(
  "quantizing twice changes nothing",
  fc.property(values, fc.constantFrom<BitWidth>(2, 4, 8), range, (x, width, domain) => {
    const z = [4, 8, 16, 32].map((level) => (level <= width ? 1 : 0));
    const once = quantize(ops, x, domain.signed, sampleFor(domain.xMax, z));
    const twice = quantize(ops, [...once], domain.signed, sampleFor(domain.xMax, z));
    return once.every((value, index) => Math.abs(value - twice[index]!) <= 1e-6 * domain.xMax);
  }),
);

law(
  "all gates open is plain quantization: the clipped input",
  fc.property(values, range, (x, domain) => {
    const actual = quantize(ops, x, domain.signed, sampleFor(domain.xMax, [1, 1, 1, 1]));
    return x.every((value, index) => {
      const clipped = Math.min(domain.xMax, Math.max(domain.signed ? -domain.xMax : 0, value));
      return Math.abs(actual[index]! - clipped) <= 3e-7 * domain.xMax;
    });
  }),
);

law(
  "a closed pruning gate gives zeros, an open one leaves its channel alone",
  fc.property(values, gates, range, (x, z, domain) => {
    const channels = x.map((_, index) => index % 2);
    const gated = quantize(ops, x, domain.signed, sampleFor(domain.xMax, z, channels));
    const plain = quantize(ops, x, domain.signed, sampleFor(domain.xMax, z));
    return channels.every(
      (open, index) => gated[index] === (open === 1 ? plain[index] : 0) || (open === 0 && gated[index] === 0),
    );
  }),
);

law(
  "monotone in the input",
  fc.property(values, gates, range, (x, z, domain) => {
    const ordered = x.toSorted((a, b) => a - b);
    const actual = quantize(ops, ordered, domain.signed, sampleFor(domain.xMax, z));
    return actual.every((value, index) => index === 0 || value >= actual[index - 1]! - 1e-6 * domain.xMax);
  }),
);

law(
  "the host's codes are the engine's values, but for ties",
  fc.property(values, bits, range, (x, width, domain) => {
    const step = stepSize(width, domain);
    const z = [4, 8, 16, 32].map((level) => (level <= width ? 1 : 0));
    const actual = quantize(ops, x, domain.signed, sampleFor(domain.xMax, z));
    const codes = encode(x, width, domain);
    return codes.every((code, index) => {
      const exact = Math.fround(x[index]!) / step;
      const tie = Math.abs(Math.abs(exact - Math.trunc(exact)) - 0.5) < 0.01;
      return Math.abs(code - actual[index]! / step) < (tie ? 1.01 : 0.01);
    });
  }),
);

t.test("a quantizer's bits are two to the power of one plus its leading open gates", (t) => {
  const node: QuantizerNode = {
    kind: "quantizer",
    id: "q",
    inputs: ["x"],
    role: "activation",
    signed: false,
    rectifies: true,
    limit: null,
  };
  const phi = Float64Array.of(6, -6, 6, 6);
  const prior = { kind: "const", macShare: 1 } as const;
  const range = Float64Array.of(1);
  const owner = new GatedQuantizer({
    node,
    phi,
    groups: new ChannelGroups(1, 1),
    prune: null,
    multiplies: [],
    range,
    floor: new Float64Array(1),
    prior,
  });
  t.equal(owner.bits, 4, "an open gate above a closed one does not count");
  owner.phi[1] = 6;
  t.equal(owner.bits, 32);
  owner.phi[0] = -6;
  t.equal(owner.bits, 2);
  t.end();
});
