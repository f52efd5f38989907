import fc from "fast-check";
import t from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { budgetOf } from "../../../src/methods/budget.ts";
import { lowerLeastSensitive } from "../../../src/methods/trained/sensitivity.ts";
import { lenet5 } from "../../../src/network/zoo/lenet5.ts";
import { createQuantizers } from "../../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../../src/quantizers/insert-quantizers.ts";
import { setBits } from "../../../src/quantizers/level-gates.ts";

const network = insertQuantizers(lenet5({ inputShape: [28, 28, 1], classes: 10, widths: [4, 6, 12] }));
const initial = { prune: 0, bits4: 0, bits8: 0, bits16: 0, bits32: 0 };
const quantizersOf = () => createQuantizers(network, { pruning: false, initial, prior: "const", bitsOf: () => 8 });
const ids = [...quantizersOf().keys()];

t.test("the least sensitive are lowered, and no more than the budget needs", async (t) => {
  const losses = fc.shuffledSubarray(
    ids.map((_, index) => index + 1),
    { minLength: ids.length },
  );
  const cases = fc.tuple(losses, fc.double({ min: 2.5, max: 6.25, noNaN: true }));
  await t.resolves(
    fc.assert(
      fc.asyncProperty(cases, async ([losses, relativeBops]) => {
        const quantizers = quantizersOf();
        const budget = budgetOf(network, { relativeBops });
        let measured = 0;
        const order = await lowerLeastSensitive(quantizers, {
          low: 4,
          high: 8,
          budget,
          measure: () => {
            measured++;
            const low = ids.filter((id) => quantizers.get(id)!.bits === 4);
            if (low.length !== 1) throw new Error(`${low.length} quantizers are low while one is measured`);
            return losses[ids.indexOf(low[0]!)]!;
          },
        });
        if (measured !== ids.length) throw new Error("each is measured once");
        const lowered = order.filter(([id]) => quantizers.get(id)!.bits === 4);
        const kept = order.filter(([id]) => quantizers.get(id)!.bits === 8);
        if (lowered.length + kept.length !== ids.length) throw new Error("other bits than low and high");
        const worst = Math.max(0, ...lowered.map(([, loss]) => loss));
        if (kept.some(([, loss]) => loss < worst)) throw new Error("a less sensitive one was kept");
        if (budget.cost(quantizers) > relativeBops) throw new Error("the budget is not met");
        const last = lowered.at(-1);
        if (last === undefined) return;
        setBits(quantizers.get(last[0])!, 8);
        if (budget.cost(quantizers) <= relativeBops) throw new Error("one less would have done");
      }),
      { seed: 1, numRuns: 60 },
    ),
  );
});

t.test("a budget that all low bits exceed is refused before anything is measured", async (t) => {
  const search = lowerLeastSensitive(quantizersOf(), {
    low: 4,
    high: 8,
    budget: budgetOf(network, { relativeBops: 0.1 }),
    measure: () => t.fail("it measures") as never,
  });
  await t.rejects(search, UserError);
});
