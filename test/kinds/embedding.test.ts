import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { embedding } from "../../src/kinds/embedding.ts";
import { maskedMean } from "../../src/kinds/masked-mean.ts";
import { engineKinds, holds, matches, random, upload } from "../fixtures/engines.ts";
import { passForKind } from "../fixtures/pass-for-kind.ts";

const size = fc.integer({ min: 1, max: 5 });
const cases = fc.record({ seed: fc.nat(1000), batch: size, length: size, vocabulary: size, units: size });

/** Tokens below `vocabulary`, a function of the seed. */
const tokensOf = (seed: number, count: number, vocabulary: number): Int32Array =>
  Int32Array.from(random(seed, "tokens", [count], vocabulary / 2), (value) =>
    Math.min(vocabulary - 1, Math.floor(value + vocabulary / 2)),
  );

for (const { kind, skip } of engineKinds) {
  t.test(`rows are looked up, and gradients of a row that is read often add up (${kind})`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    const node = { kind: "embedding", id: "e", inputs: ["tokens", "weight"] } as const;
    holds(t, ops, cases, ({ seed, batch, length, vocabulary, units }) => {
      const tokens = tokensOf(seed, batch * length, vocabulary);
      const table = upload(ops, seed, "table", [vocabulary, units]);
      const inputs = [ops.tensor(tokens, [batch, length]), table.tensor] as const;
      const { output, saved } = embedding.forward(node, inputs, passForKind(ops));
      const rows = Array.from(tokens).flatMap((token) => [
        ...table.values.subarray(token * units, (token + 1) * units),
      ]);
      matches(ops, output, [batch, length, units], rows, 0);
      const gradient = upload(ops, seed, "gradient", [batch, length, units]);
      const [none, byTable] = embedding.backward(node, gradient.tensor, saved, passForKind(ops), []);
      const expected = new Float64Array(vocabulary * units);
      for (const [place, token] of tokens.entries()) {
        for (let unit = 0; unit < units; unit++)
          expected[token * units + unit]! += gradient.values[place * units + unit]!;
      }
      if (none !== null) throw new Error("tokens have no gradient");
      matches(ops, byTable!, [vocabulary, units], expected);
    });
  });

  t.test(`padding counts in no mean, and gets no gradient (${kind})`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    const node = { kind: "masked-mean", id: "m", inputs: ["tokens", "x"] } as const;
    holds(t, ops, cases, ({ seed, batch, length, vocabulary, units }) => {
      const tokens = tokensOf(seed, batch * length, vocabulary);
      const x = upload(ops, seed, "x", [batch, length, units]);
      const inputs = [ops.tensor(tokens, [batch, length]), x.tensor] as const;
      const { output, saved } = maskedMean.forward(node, inputs, passForKind(ops));
      const means = new Float64Array(batch * units);
      const shares = new Float64Array(batch * length);
      for (let text = 0; text < batch; text++) {
        const own = tokens.subarray(text * length, (text + 1) * length);
        const count = own.filter((token) => token !== 0).length;
        for (const [place, token] of own.entries()) {
          if (token === 0) continue;
          shares[text * length + place] = 1 / count;
          for (let unit = 0; unit < units; unit++) {
            means[text * units + unit]! += x.values[(text * length + place) * units + unit]! / count;
          }
        }
      }
      matches(ops, output, [batch, units], means);
      const gradient = upload(ops, seed, "gradient", [batch, units]);
      const [none, byX] = maskedMean.backward(node, gradient.tensor, saved, passForKind(ops), []);
      if (none !== null) throw new Error("tokens have no gradient");
      const expected = Array.from(shares).flatMap((share, place) => {
        const text = Math.floor(place / length);
        return Array.from(gradient.values.subarray(text * units, (text + 1) * units), (value) => value * share);
      });
      matches(ops, byX!, [batch, length, units], expected);
    });
  });
}

t.test("shapes of what is no text are refused", async (t) => {
  const node = { kind: "masked-mean", id: "m", inputs: ["tokens", "x"] } as const;
  t.strictSame(maskedMean.shape(node, [[5], [5, 3]]), [3]);
  t.throws(() => maskedMean.shape(node, [[5], [4, 3]]), {
    message: "m: reads [4,3] beside 5 tokens, expected [5, units]",
  });
  t.throws(
    () =>
      maskedMean.shape(node, [
        [5, 5],
        [5, 3],
      ]),
    {
      message: "m: reads [5,5], expected the numbers of tokens, [tokens]",
    },
  );
});
