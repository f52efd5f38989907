import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { tokenMask } from "../../src/kinds/token-mask.ts";
import { engineKinds, holds, matches } from "../fixtures/engines.ts";
import { passForKind } from "../fixtures/pass-for-kind.ts";

const node = { kind: "token-mask", id: "m", inputs: ["tokens"] } as const;
const texts = fc
  .integer({ min: 1, max: 5 })
  .chain((length) =>
    fc.array(fc.array(fc.nat(3), { minLength: length, maxLength: length }), { minLength: 1, maxLength: 3 }),
  );

for (const { kind, skip } of engineKinds) {
  t.test(`1 for tokens, 0 for padding (${kind})`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    holds(t, ops, texts, (rows) => {
      const shape = [rows.length, rows[0]!.length];
      const tokens = ops.tensor(Int32Array.from(rows.flat()), shape);
      const { output } = tokenMask.forward(node, [tokens], passForKind(ops));
      matches(
        ops,
        output,
        shape,
        rows.flat().map((token) => (token > 0 ? 1 : 0)),
      );
    });
  });
}

t.test("images are refused", async (t) => {
  t.throws(() => tokenMask.shape(node, [[2, 2]]), {
    message: "m: reads [2,2], expected the numbers of tokens, [tokens]",
  });
});
