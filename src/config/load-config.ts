import { basename, extname } from "node:path";
import type { z } from "zod";
import { UsageError } from "../core/errors.ts";
import { shortenList } from "../core/shorten.ts";
import { explainIssues } from "./explain.ts";
import { configSchema, type RunConfig, settingsSchema } from "./schema.ts";
import { isTree, merge, parseSetting, readSource, type Source, type Tree } from "./source.ts";

/**
 * Loads a configuration: the file, what it extends, then each `--set`.
 *
 * @throws UsageError that lists everything that is wrong at once, each with path, value, file and line.
 */
export function loadConfig(
  path: string,
  { set = [] }: { set?: readonly string[] } = {},
): { readonly config: RunConfig } {
  const { tree, places } = set.map(parseSetting).reduce(merge, readSource(path));
  if (tree.sweep !== undefined) {
    throw new UsageError(`${path} describes many runs, a sweep: start it with bayesian-bits sweep ${path}`);
  }
  const checked = checkConfig({ tree: { name: basename(path, extname(path)), ...tree }, places }, path);
  if ("config" in checked) return checked;
  throw wrongConfiguration(checked.mistakes);
}

/** What of a configuration names images: other sections may be missing. */
const imagesSchema = settingsSchema.pick({ seed: true, task: true, data: true });

/**
 * Loads what a configuration, with what it extends, says of images alone.
 *
 * @throws UsageError that lists everything that is wrong with it.
 */
export function loadImages(path: string): z.output<typeof imagesSchema> {
  const { tree: whole, places } = readSource(path);
  const tree = Object.fromEntries(
    Object.keys(imagesSchema.shape).flatMap((key) => (key in whole ? [[key, whole[key]]] : [])),
  );
  const parsed = imagesSchema.safeParse(tree);
  if (parsed.success) return parsed.data;
  throw wrongConfiguration(explainIssues(parsed.error, { tree, places, file: path, schema: imagesSchema }));
}

/** A run's settings as a configuration, or everything that is wrong with them, a line each. */
export function checkConfig(
  { tree, places }: Source,
  file: string,
): { readonly config: RunConfig } | { readonly mistakes: readonly string[] } {
  const parsed = configSchema.safeParse(withOptimizers(tree));
  if (parsed.success) return { config: parsed.data };
  return { mistakes: explainIssues(parsed.error, { tree, places, file, schema: configSchema }) };
}

/** The error that lists what is wrong. */
export const wrongConfiguration = (mistakes: readonly string[]): UsageError =>
  new UsageError(
    `the configuration is wrong:\n${shortenList(mistakes)
      .map((line) => `  ${line}`)
      .join("\n")}`,
  );

/** The discriminator of a parameter group may be left out: it is Adam then, but for the weights of fine-tuning. */
function withOptimizers(tree: Tree): Tree {
  const { training } = tree;
  if (!isTree(training)) return tree;
  const { finetune } = training;
  return {
    ...tree,
    training: {
      ...withDefaults(training, { weights: "adam", gates: "adam", ranges: "adam" }),
      ...(isTree(finetune) && { finetune: withDefaults(finetune, { weights: "sgd", ranges: "adam" }) }),
    },
  };
}

/** The tree with an optimizer in each group that names none. */
function withDefaults(tree: Tree, optimizers: Readonly<Record<string, string>>): Tree {
  const groups = Object.entries(optimizers).flatMap(([name, optimizer]) => {
    const group = tree[name] ?? {};
    return isTree(group) && group.optimizer === undefined ? [[name, { optimizer, ...group }]] : [];
  });
  return { ...tree, ...Object.fromEntries(groups) };
}
