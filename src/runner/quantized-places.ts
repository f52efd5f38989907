import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { QuantizeConfig } from "../config/quantize-schema.ts";
import type { QuantizedLayout } from "../config/sections/export-settings.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { UsageError } from "../core/errors.ts";
import { placesBeside, quantizedFile } from "../ptq/quantized-record.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";

/** Files within the folder of the result. */
export interface QuantizedPlaces {
  readonly model: string;
  /** Its weights, where it has no room for them. */
  readonly weights: string;
  readonly record: string;
  readonly bits: string;
  readonly report: string;
  /** The configuration that quantizes the file in the same way. */
  readonly settings: string;
  /** The folder whose configuration and tokenizer are copied beside it; null: none are. */
  readonly companions: string | null;
}

/** What transformers.js appends to a model's name for weights of so many bits (its utils/dtypes): q2, q4 and q8. */
const suffixes: Readonly<Record<WeightBits, string | null>> = { 2: "_q2", 3: null, 4: "_q4", 8: "_quantized" };

/** Where its loaders look for models, below a model's folder. */
const modelFolder = "onnx";
/** What they read beside it: configuration, tokenizer, vocabulary, templates. */
const companion =
  /^((generation_|preprocessor_|processor_)?config|tokenizer.*|special_tokens_map|added_tokens|vocab.*|merges|chat_template.*)\.(json|txt|jinja)$|\.model$/;

/**
 * Where the files of a quantized model go.
 *
 * For transformers.js a model in a folder `onnx` keeps its name (`encoder_model`), and belongs to the folder above; any
 * other is called `model`, and belongs to its own. A folder may hold several widths, so each has a record of its own.
 *
 * @throws UsageError when transformers.js has no name for these bits.
 */
export const placesOf = ({ network: { file }, export: { layout }, bits }: QuantizeConfig): QuantizedPlaces =>
  layouts[layout](file, "weights" in bits ? bits.weights : 8);

/** As exporters and transformers.js name them. */
const modelPlaces = (model: string) => ({ model, weights: `${model}_data` });

const layouts: Readonly<Record<QuantizedLayout, (file: string, weights: WeightBits) => QuantizedPlaces>> = {
  plain: () => ({ ...modelPlaces("model.onnx"), ...placesBeside(quantizedFile), companions: null }),
  "transformers.js": (file, weights) => {
    const suffix = suffixes[weights];
    if (suffix === null) {
      throw new UsageError(
        `--layout transformers.js: it has no name for weights of ${weights} bits; give --weights 2, 4 or 8`,
      );
    }
    const folder = dirname(resolve(file));
    const isAmong = basename(folder) === modelFolder;
    const name = `${isAmong ? basename(file, ".onnx") : "model"}${suffix}`;
    return {
      ...modelPlaces(join(modelFolder, `${name}.onnx`)),
      ...placesBeside(`quantized.${name}.json`),
      companions: isAmong ? dirname(folder) : folder,
    };
  },
};

/** Copies what transformers.js reads beside a model; what the folder has already stays. */
export function copyCompanions(source: string, folder: string): void {
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const copy = join(folder, entry.name);
    if (entry.isFile() && companion.test(entry.name) && !existsSync(copy))
      writeFileAtomically(copy, readFileSync(join(source, entry.name)));
  }
}
