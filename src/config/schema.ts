import { z } from "zod";
import { checkpoint } from "./sections/checkpoint-settings.ts";
import { data } from "./sections/data-settings.ts";
import { engine } from "./sections/engine-settings.ts";
import { codebookProblem, exportSection } from "./sections/export-settings.ts";
import { cacheProblem } from "./sections/loss-settings.ts";
import { method } from "./sections/method-settings.ts";
import { checkSearch } from "./sections/methods/autoq-settings.ts";
import { network } from "./sections/network-settings.ts";
import { report } from "./sections/report-settings.ts";
import { task } from "./sections/task-settings.ts";
import { checkTraining, training } from "./sections/training-settings.ts";

/** The settings of a run, each by itself: strict, every field with its meaning and default. */
export const settingsSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,99}$/u,
      "letters, digits, . _ - and spaces, at most 100, a letter or digit first",
    )
    .describe("name of the run and of its folder; without it, the file's"),
  note: z.string().default("").describe("free text for the report"),
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(1).describe("what all randomness is a function of"),
  task,
  data,
  network,
  method,
  training,
  engine,
  checkpoint,
  export: exportSection,
  report,
});

/** A run, as a configuration file describes it: also what must hold between settings. */
export const configSchema = settingsSchema.superRefine((config, context) => {
  checkTraining(config, context);
  const { data, method, network, training } = config;
  const uncached = cacheProblem(training, "augmentation" in data ? data : {});
  if (uncached !== null)
    context.addIssue({ code: "custom", path: ["training", "loss", "cache"], message: uncached, input: true });
  if (method.name === "autoq") checkSearch(method, training, network, context);
  if (method.name === "product-quantization") {
    const { form } = config.export;
    const message = codebookProblem(form);
    if (message !== null) context.addIssue({ code: "custom", path: ["export", "form"], message, input: form });
  }
  if ((method.name === "sensitivity" || method.name === "autoq") && data.validationShare === 0) {
    const message = `expected more than 0: method ${method.name} chooses by held-out images`;
    context.addIssue({ code: "custom", path: ["data", "validationShare"], message, input: data.validationShare });
  }
  if (method.name === "bayesian-bits" && method.prior.target && training.guards.noImprovement.action === "finish") {
    const message = "expected warn: beside a budget training goes on until its gates are fitted to it";
    const path = ["training", "guards", "noImprovement", "action"];
    context.addIssue({ code: "custom", path, message, input: "finish" });
  }
  if (data.limit?.train !== undefined && data.limit.train * (1 - data.validationShare) < 2) {
    const message = "expected at least 2 training images to be left: ranges start from two";
    context.addIssue({ code: "custom", path: ["data", "limit", "train"], message, input: data.limit.train });
  }
});

export type RunConfig = z.output<typeof configSchema>;

/** A configuration as it is written: what it leaves out has a default. */
export type RunSettings = z.input<typeof configSchema>;
