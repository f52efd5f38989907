import t, { type Test } from "tap";
import { UsageError } from "../../../src/core/errors.ts";
import { requireSearchable } from "../../../src/methods/autoq/require-searchable.ts";
import type { WidthSearch } from "../../../src/methods/method.ts";
import { lenet5 } from "../../../src/network/zoo/lenet5.ts";
import { insertQuantizers } from "../../../src/quantizers/insert-quantizers.ts";
import { describeClassification } from "../../../src/tasks/classification/description.ts";
import type { TaskDescription } from "../../../src/tasks/metric.ts";
import { narrowNetworks } from "../../fixtures/random-models.ts";

/** No layer has 8 output channels. */
const network = insertQuantizers(lenet5({ inputShape: [28, 28, 1], classes: 3, widths: [4, 6, 5] }));
const classes = describeClassification(3);
const search: WidthSearch = {
  ...{ level: "kernel", groups: undefined, episodes: 10, warmup: 2, images: 100, quantizeAddends: true },
  ...{ weightWidths: [0, 2, 4, 8], activationWidths: [2, 4, 8] },
  objective: { name: "resource-constrained" },
  target: { relativeBops: 5 },
};
const guaranteed = { name: "accuracy-guaranteed", scorePower: 2, costPower: 0.5 } as const;

function refused(t: Test, changes: Partial<WidthSearch>, message: RegExp, task: TaskDescription = classes) {
  const attempt = () => requireSearchable({ ...search, ...changes }, network, task);
  t.throws(attempt, UsageError);
  t.throws(attempt, { message });
}

t.test("more groups than any layer has channels are refused where somebody asked for them", async (t) => {
  refused(t, { groups: 8 }, /^method\.groups: expected at most 6, .* of lenet5, got 8; null decides/);
  for (const groups of [undefined, null, 6]) requireSearchable({ ...search, groups }, network, classes);
  requireSearchable({ ...search, groups: 8, level: "layer" }, network, classes);
});

t.test("products of activations are refused: no layer's bits are theirs", async (t) => {
  const attention = insertQuantizers(narrowNetworks.attention!());
  t.throws(() => requireSearchable({ ...search, groups: undefined }, attention, classes), {
    name: "UsageError",
    message: /^method.name: autoq decides .* scores of attention multiplies activations/,
  });
});

t.test("a budget below what the lowest widths cost is refused, with what they do", async (t) => {
  for (const target of [{ relativeBops: 1e-3 }, { sizeBytes: 10 }]) {
    const [unit] = Object.keys(target);
    refused(
      t,
      { target },
      new RegExp(`^method\\.target\\.${unit}: expected at least [\\d.]+, .* lenet5 costs .*, got`),
    );
  }
  requireSearchable({ ...search, objective: guaranteed, target: { relativeBops: 1e-3 } }, network, classes);
});

t.test("an objective without a budget needs a metric that has a logarithm", async (t) => {
  const [top1] = classes.metrics;
  const errors: TaskDescription = { ...classes, metrics: [{ ...top1, label: "error", better: "lower" }] };
  refused(
    t,
    { objective: guaranteed },
    /^method\.objective: expected constrained: .* error is better the lower/,
    errors,
  );
  requireSearchable(search, network, errors);
});
