import t from "tap";
import { floatError } from "../../src/export/float-error.ts";
import type { FrozenNode } from "../../src/export/frozen-network.ts";
import { random } from "../fixtures/engines.ts";

const base = { kept: [0], channels: 1, bits: 16, signed: true, xMax: 1, kind: "quantizer" } as const;

/** A dense layer of so many terms between two quantizers. */
function denseGroup(terms: number) {
  const x: FrozenNode = { ...base, id: "x", inputs: [], outputShape: [terms] };
  const dense: FrozenNode = {
    kind: "dense",
    id: "dense",
    inputs: ["x"],
    outputShape: [1],
    weight: { bits: 32, shape: [terms, 1], values: new Float32Array(terms) },
    bias: new Float32Array(1),
    keptOutputs: [0],
    unprunedOutputs: 1,
  };
  const end: FrozenNode = { ...base, id: "y", inputs: ["dense"], outputShape: [1] };
  return { name: "dense", from: [x], nodes: [dense, end] };
}

t.test("the bound holds what float32 sums get wrong, in whatever order, and grows with their terms", async (t) => {
  for (const count of [64, 4096, 65_536]) {
    const terms = random(1, "terms", [count], 0.5).map((value) => value + 1);
    const exact = terms.reduce((sum, term) => sum + term, 0);
    const inFloat = (order: readonly number[]) => order.reduce((sum, term) => Math.fround(sum + term), 0);
    const ascending = [...terms].sort((a, b) => a - b);
    const errors = [[...terms], ascending, ascending.toReversed()].map((order) => Math.abs(inFloat(order) / exact - 1));
    const largest = Math.max(...errors);
    const bound = floatError(denseGroup(count));
    t.ok(largest <= bound, `${count} terms: ${largest} of at most ${bound}`);
    t.ok(bound <= 1.01 * (count + 20) * 2 ** -24, "and no more than their number allows");
    if (count > 1000) t.ok(largest > 2 ** -23, "where two units of one operation are too few");
  }
});
