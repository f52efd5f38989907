import fc from "fast-check";
import t from "tap";
import type { QuantizerNode } from "../../src/kinds/quantizer.ts";
import type { Quantizer } from "../../src/quantizers/abstract-quantizer.ts";
import { ChannelGroups } from "../../src/quantizers/channel-groups.ts";
import { FixedQuantizer } from "../../src/quantizers/fixed-quantizer.ts";
import { transparent } from "../../src/quantizers/gate-sample.ts";
import { GatedQuantizer } from "../../src/quantizers/gated-quantizer.ts";
import { GridQuantizer } from "../../src/quantizers/grid-quantizer.ts";
import { setBits } from "../../src/quantizers/level-gates.ts";
import { PruningQuantizer } from "../../src/quantizers/pruning-quantizer.ts";
import { rangeFloor } from "../../src/quantizers/range.ts";

const seed = 31;
const node: QuantizerNode = {
  ...{ kind: "quantizer", id: "w", inputs: ["x"], role: "weight", signed: true },
  ...{ rectifies: false, limit: null },
};
const prior = { kind: "const", macShare: 1 } as const;
const parts = (phi: readonly number[] = [1, 0.5, -1, -3], prune: readonly number[] = [2, -0.5, -4]) => ({
  node,
  phi: Float64Array.from(phi),
  groups: new ChannelGroups(prune.length, prune.length),
  prune: Float64Array.from(prune),
  multiplies: [node.id],
  range: Float64Array.of(1.5),
  floor: Float64Array.of(rangeFloor),
  prior,
});
const grid = { bits: 3, steps: Float32Array.of(0.25, 0.5) } as const;
const kinds: readonly Quantizer[] = [
  new GatedQuantizer(parts()),
  new PruningQuantizer(parts()),
  new FixedQuantizer(parts()),
  new GridQuantizer(parts(), grid),
];

/** A source of numbers that counts what is asked of it. */
function counted(value = 0.5) {
  const asked: number[] = [];
  const draw = (count: number) => {
    asked.push(count);
    return new Float64Array(count).fill(value);
  };
  return { asked, draw };
}

t.test("each kind draws and learns what its name says", async (t) => {
  const learned = kinds.map((quantizer) => quantizer.learned.map(({ name }) => name));
  t.strictSame(learned, [["range", "phi", "prune"], ["range", "prune"], ["range"], []]);
  const asked = kinds.map((quantizer) => {
    const source = counted();
    quantizer.sample(source.draw);
    return source.asked;
  });
  t.strictSame(asked, [[3, 1, 1, 1], [3], [], []], "a gate that is closed for certain needs no number");
});

t.test("with fixed gates a quantizer keeps its numbers, and a training step has the gates of test time", async (t) => {
  for (const quantizer of kinds) {
    const fixed = quantizer.withFixedGates();
    t.equal(fixed.phi, quantizer.phi);
    t.equal(fixed.prune, quantizer.prune);
    t.equal(fixed.range, quantizer.range);
    t.notOk(fixed.learned.some(({ group }) => group === "gates"));
    t.strictSame(fixed.sample(t.fail as never), quantizer.atTestTime());
    t.strictSame([fixed.bits, fixed.kept], [quantizer.bits, quantizer.kept]);
  }
});

t.test("a given bit-width is the one at test time, of any gates before", async (t) => {
  for (const bits of [2, 4, 8, 16, 32] as const) {
    const quantizer = new FixedQuantizer(parts());
    setBits(quantizer, bits);
    t.equal(quantizer.bits, bits);
    t.strictSame(
      quantizer.atTestTime().parameters.terms.map((term) => term.bits),
      [bits],
    );
  }
});

t.test("what is encoded decodes to itself: by the range, by ranges of channels, on a grid", async (t) => {
  const ranges = fc.array(fc.float({ min: Math.fround(0.1), max: 8, noNaN: true }), { minLength: 1, maxLength: 3 });
  const bits = fc.constantFrom(2, 4, 8 as const);
  const codes = fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 6, maxLength: 6 });
  const decoded = (quantizer: Quantizer, values: Float32Array) => {
    const { scale, codes } = quantizer.encode(values);
    return Float32Array.from(
      codes,
      (code, at) => code * (typeof scale === "number" ? scale : scale[at % scale.length]!),
    );
  };
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(ranges, bits, codes, (range, width, drawn) => {
        const groups = new ChannelGroups(range.length, range.length);
        const fixed = new FixedQuantizer({ ...parts(), groups, range: Float64Array.from(range) });
        setBits(fixed, width as 2 | 4 | 8);
        const steps = Float32Array.from(range, (end) => end / 3);
        for (const quantizer of [fixed, new GridQuantizer(parts(), { bits: 3, steps })]) {
          const { scale } = quantizer.encode(new Float32Array(6));
          const values = Float32Array.from(drawn, (code, at) =>
            Math.fround(code * (typeof scale === "number" ? scale : scale[at % scale.length]!)),
          );
          if (decoded(quantizer, values).some((value, at) => value !== values[at])) throw new Error(`${values}`);
        }
      }),
      { seed },
    ),
  );
});

t.test("a weight on a grid has the grid's bits and the range of its widest channel", async (t) => {
  const quantizer = new GridQuantizer(parts(), grid);
  t.equal(quantizer.bits, 3);
  t.equal(quantizer.xMax, (0.5 * 7) / 2);
  t.strictSame([...quantizer.stored.keys()], ["gates", "prune", "range", "grid/bits", "grid/steps"]);
});

t.test("what learns is held in its limits, and says so where something goes wrong", async (t) => {
  const behindRelu6 = { ...parts(), node: { ...node, limit: 6 }, range: Float64Array.of(7) };
  const [range, , prune] = new GatedQuantizer(behindRelu6).learned;
  t.notOk(range!.hold(), "a range at the limit of its ReLU6 is well");
  t.equal(behindRelu6.range[0], 6);
  behindRelu6.range[0] = -1;
  t.ok(range!.hold());
  t.equal(behindRelu6.range[0], rangeFloor);
  t.notOk(prune!.hold());
  behindRelu6.prune.fill(-5).set([-4], 1);
  t.ok(prune!.hold());
  t.strictSame(new GatedQuantizer(behindRelu6).kept, [1], "the channel nearest to opening is held");
});

t.test("where nothing is quantized only a ReLU6 clips", async (t) => {
  t.equal(transparent({ limit: 6 }).parameters.xMax, 6);
  const { terms, xMax, ranges, wanted } = transparent({ limit: null }).parameters;
  t.strictSame([terms.map(({ bits, weight }) => [bits, weight]), ranges, wanted], [[[32, 1]], null, []]);
  t.ok(xMax >= 1e30);
});
