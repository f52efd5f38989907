import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import { encode, stepSize } from "../../src/quantization/grid.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { initializeRanges, type RangeRule } from "../../src/training/initial-ranges.ts";
import { createModel } from "../../src/training/model.ts";
import { testTimeGates } from "../../src/training/pass.ts";
import { parameterValues } from "../../src/training/snapshot.ts";
import { random } from "../fixtures/engines.ts";
import { disposeModel } from "../fixtures/random-models.ts";

const { ops } = await loadEngine({ kind: "native" });

/** Ranges of a narrow LeNet-5 whose tensors have these bits, and the squared error of each weight on its grid. */
function begun(bits: 2 | 4 | 8 | 16, rule: RangeRule, weightRanges: "per-tensor" | "per-channel") {
  const network = insertQuantizers(lenet5({ inputShape: [16, 17, 1], classes: 7, widths: [5, 6, 11] }));
  const initial = { prune: 0, bits4: 0, bits8: 0, bits16: 0, bits32: 0 };
  const given = { pruning: false, initial, prior: "const", weightRanges } as const;
  const quantizers = createQuantizers(network, { ...given, bitsOf: () => bits });
  const model = createModel(network, { ops, seed: 1, quantizers });
  const shape = [8, 16, 17, 1];
  initializeRanges(
    model,
    () => ops.tensor(random(1, "images", shape), shape),
    () => testTimeGates(model),
    rule,
  );
  const found = [...quantizers.values()].map(({ node, range }) => {
    const ranges = [...range];
    if (node.role === "activation") return { id: node.id, ranges, error: () => 0 };
    const values = parameterValues(model, node.inputs[0]);
    /** With ranges as they are, times a factor. */
    const error = (factor: number) =>
      values.reduce((sum, value, index) => {
        const xMax = factor * ranges[index % ranges.length]!;
        const step = stepSize(bits, { xMax, signed: true });
        return sum + (value - step * encode([value], bits, { xMax, signed: true })[0]!) ** 2;
      }, 0);
    return { id: node.id, ranges, error };
  });
  disposeModel(model);
  return found;
}

for (const weightRanges of ["per-tensor", "per-channel"] as const) {
  t.test(`ranges of least squared error, ${weightRanges}`, async (t) => {
    for (const bits of [2, 4] as const) {
      const [largest, least] = [begun(bits, "max", weightRanges), begun(bits, "mse", weightRanges)];
      for (const [index, { id, ranges, error }] of least.entries()) {
        const { ranges: before, error: errorBefore } = largest[index]!;
        t.ok(
          ranges.every((range, channel) => range > 0 && range <= 1.5 * before[channel]!),
          id,
        );
        // The search is on a histogram, in steps of 1 %.
        for (const factor of [0.85, 1.15]) t.ok(error(1) <= 1.02 * error(factor), `${bits} bits, ${id}, ${factor}`);
        t.ok(error(1) <= 1.02 * errorBefore(1), `${bits} bits, ${id}`);
      }
    }
  });
}

t.test("tensors of 16 bits begin at their largest magnitude, what is unsigned at its largest element", async (t) => {
  for (const { id, ranges } of begun(16, "mse", "per-tensor")) {
    const values = [...begun(16, "max", "per-tensor")].find((other) => other.id === id)!.ranges;
    t.ok(Math.abs(ranges[0]! / values[0]! - 1) < 0.11, id);
  }
});
