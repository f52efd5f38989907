import { basename, extname } from "node:path";
import { z } from "zod";
import { UsageError } from "../core/errors.ts";
import { explainIssues } from "./explain.ts";
import { wrongConfiguration } from "./load-config.ts";
import {
  type QuantizeConfig,
  type QuantizeSettings,
  quantizeSchema,
  type ResolvedQuantize,
  resolveQuantize,
} from "./quantize-schema.ts";
import { imageInput, quantizeData } from "./sections/quantize-settings.ts";
import { merge, parseSetting, readSource, type Source, type Tree } from "./source.ts";

/** Whether a path is that of a configuration. */
export const isConfiguration = (path: string): boolean => /\.(ya?ml|json)$/i.test(path);

/**
 * Loads how a file is quantized: the configuration, what it extends, then each `--set`.
 *
 * @throws UsageError that lists everything that is wrong at once, each with path, value, file and line.
 */
export function loadQuantize(path: string, { set = [] }: { set?: readonly string[] } = {}): ResolvedQuantize {
  const { tree, places } = readSource(path);
  if (tree.training !== undefined) {
    throw new UsageError(`${path} describes a run, no file to quantize: start it with bayesian-bits train ${path}`);
  }
  const named = { name: basename(path, extname(path)), ...tree };
  return checkQuantize({ tree: named, places }, { set, file: path });
}

/**
 * The same of settings from elsewhere.
 *
 * @param file Where they come from, where no nearer place is known.
 */
export function checkQuantize(
  source: Source,
  { set = [], file }: { readonly set?: readonly string[]; readonly file: string },
): ResolvedQuantize {
  const { tree, places } = set.map(parseSetting).reduce(merge, source);
  return resolveQuantize(parsed(quantizeSchema, { tree, places }, file));
}

/** How a file is quantized, from an object. @throws UsageError that lists everything that is wrong with it. */
export const parseQuantize = (settings: QuantizeSettings): ResolvedQuantize =>
  checkQuantize({ tree: { ...settings }, places: new Map() }, { file: "given as an object" });

const dataSchema = z.strictObject({ data: quantizeData, input: imageInput });

/**
 * Loads what any configuration says of the data that a file is calibrated on: other sections are not looked at.
 *
 * @throws UsageError that lists everything that is wrong with it.
 */
export function loadQuantizeData(path: string): Required<Pick<QuantizeConfig, "data" | "input">> {
  const { tree: whole, places } = readSource(path);
  const tree: Tree = Object.fromEntries(
    Object.keys(dataSchema.shape).flatMap((key) => (key in whole ? [[key, whole[key]]] : [])),
  );
  return parsed(dataSchema, { tree, places }, path);
}

function parsed<Schema extends z.ZodType>(schema: Schema, { tree, places }: Source, file: string): z.output<Schema> {
  const found = schema.safeParse(tree);
  if (found.success) return found.data;
  throw wrongConfiguration(explainIssues(found.error, { tree, places, file, schema }));
}
