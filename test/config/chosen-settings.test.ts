import t from "tap";
import { chosenSettings } from "../../src/config/chosen-settings.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import type { RunConfig } from "../../src/config/schema.ts";

const least = {
  name: "least",
  data: { name: "mnist" },
  network: { name: "lenet5" },
  method: { name: "bayesian-bits" },
  training: { epochs: 3 },
} as const;

const chosen = (settings: Parameters<typeof parseConfig>[0]) =>
  chosenSettings(parseConfig(settings)).map((path) => path.join("."));

t.test("what must be given, and what has its default, is not chosen", async (t) => {
  t.strictSame(chosen(least), []);
  t.strictSame(chosen({ ...least, seed: parseConfig(least).seed }), []);
});

t.test("other values are, setting by setting, and what a section needs that is there by choice", async (t) => {
  t.strictSame(
    chosen({
      ...least,
      seed: 7,
      method: { name: "bayesian-bits", prior: { strength: 0.25 } },
      training: {
        epochs: 3,
        weights: { optimizer: "adam", learningRate: 0.5, schedule: "cosine" },
        pretrain: { epochs: 2 },
      },
    }),
    [
      "seed",
      "method.prior.strength",
      "training.weights.learningRate",
      "training.weights.schedule.name",
      "training.pretrain.epochs",
    ],
  );
});

t.test("a configuration that is none any more has nothing marked", async (t) => {
  t.strictSame(chosenSettings({ ...parseConfig(least), unknown: 1 } as RunConfig), []);
});
