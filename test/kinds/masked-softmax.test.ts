import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { maskedSoftmax } from "../../src/kinds/masked-softmax.ts";
import { engineKinds, holds, matches, random, upload } from "../fixtures/engines.ts";
import { passForKind } from "../fixtures/pass-for-kind.ts";

const size = fc.integer({ min: 1, max: 4 });
const cases = fc.record({ seed: fc.nat(1000), batch: size, length: size, lead: fc.array(size, { maxLength: 2 }) });
const node = { kind: "masked-softmax", id: "m", inputs: ["tokens", "x"] } as const;

for (const { kind, skip } of engineKinds) {
  t.test(`padding has no share and no gradient; of padding alone all have one (${kind})`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    holds(t, ops, cases, ({ seed, batch, length, lead }) => {
      const tokens = Int32Array.from(random(seed, "tokens", [batch * length], 1.5), (value) => Math.max(0, value + 1));
      const shape = [batch, ...lead, length];
      const x = upload(ops, seed, "x", shape);
      const { output, saved } = maskedSoftmax.forward(
        node,
        [ops.tensor(tokens, [batch, length]), x.tensor],
        passForKind(ops),
      );
      const gradient = upload(ops, seed, "gradient", shape);
      const [none, byX] = maskedSoftmax.backward(node, gradient.tensor, saved, passForKind(ops), []);
      if (none !== null) throw new Error("tokens have no gradient");

      const shares = new Float64Array(x.values.length);
      const expected = new Float64Array(x.values.length);
      const rows = shares.length / length;
      for (let row = 0; row < rows; row++) {
        const text = Math.floor((row * batch) / rows);
        const places = Array.from({ length }, (_, key) => key);
        const there = places.filter((key) => tokens[text * length + key] !== 0);
        const values = there.map((key) => Math.exp(x.values[row * length + key]!));
        const sum = values.reduce((a, b) => a + b, 0);
        for (const [index, key] of there.entries()) shares[row * length + key] = values[index]! / sum;
        if (there.length === 0) for (const key of places) shares[row * length + key] = 1 / length;
        const mean = places.reduce(
          (a, key) => a + shares[row * length + key]! * gradient.values[row * length + key]!,
          0,
        );
        for (const key of there) {
          expected[row * length + key] = shares[row * length + key]! * (gradient.values[row * length + key]! - mean);
        }
      }
      matches(ops, output, shape, shares);
      matches(ops, byX!, shape, expected);
    });
  });
}

t.test("other shapes are refused", async (t) => {
  t.strictSame(maskedSoftmax.shape(node, [[5], [2, 3, 5]]), [2, 3, 5]);
  t.throws(() => maskedSoftmax.shape(node, [[5], [5, 4]]), {
    message: "m: reads [5,4] beside 5 tokens, expected [.., 5]",
  });
});
