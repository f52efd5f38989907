import type { ActivationBits } from "../config/sections/quantize-settings.ts";
import type { OutputComparison } from "./compare-outputs.ts";
import type { Costs } from "./costly-layers.ts";

export interface Thresholds {
  /** Signal-to-noise ratio that every output is to have. */
  readonly minSqnrDb: number;
  /** Percent of samples that are to keep their class, where an output looks like logits. */
  readonly minAgreement: number;
}

/** What is said without being asked for. */
export const usualThresholds: Thresholds = { minSqnrDb: 30, minAgreement: 99 };

/**
 * The outputs below the thresholds.
 *
 * @param asked Those that the user gave: what cannot be measured is below them.
 */
export const below = (
  outputs: readonly OutputComparison[],
  { minSqnrDb, minAgreement }: Partial<Thresholds>,
  asked: Partial<Thresholds>,
): readonly OutputComparison[] =>
  outputs.filter(({ same, sqnrDb, agreement }) => {
    if (same) return false;
    const noise = sqnrDb ?? (asked.minSqnrDb === undefined ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
    const isNoisy = minSqnrDb !== undefined && noise < minSqnrDb;
    return isNoisy || (minAgreement !== undefined && agreement !== null && agreement < minAgreement);
  });

/** What an output has, in words. */
export const noiseText = ({ same, otherSizes, sqnrDb }: OutputComparison): string => {
  if (same) return "not one number differs";
  if (otherSizes) return "sizes that differ";
  return sqnrDb === null ? "numbers where the float file has zeros" : `${sqnrDb.toFixed(1)} dB`;
};

/** What to do where no single weight costs it, by what activations have. */
export const remedies = {
  8: "try --activations 16 or 32",
  16: "try --activations 32",
  32: "give weights more bits",
  budget: "give the budget more",
} as const;

/**
 * One line: what is below, which layers cost most, and what to do.
 *
 * @param activations As the settings have them.
 */
export function describeLoss(
  outputs: readonly OutputComparison[],
  { minSqnrDb, minAgreement }: Thresholds,
  { costs, activations }: { readonly costs: Costs; readonly activations: ActivationBits | "budget" },
): string {
  const figures = outputs.map((output) => {
    const { name, agreement } = output;
    const classes =
      agreement === null ? "" : `, the same class for ${agreement.toFixed(2)} % (${minAgreement} % wanted)`;
    return `${JSON.stringify(name)} has ${noiseText(output)} (${minSqnrDb} dB wanted)${classes}`;
  });
  const { layers, weightsDb, togetherDb } = costs;
  const alone = weightsDb === null ? "" : `; with weights alone quantized outputs have ${weightsDb.toFixed(1)} dB`;
  const gain = (db: number | null) => (db === null ? "not one number differs" : `${db.toFixed(1)} dB more`);
  const named = layers.map(({ layers: names, instead, gainDb }) => {
    const form = instead === 8 ? "8 bits" : "float";
    return `${names.join(" and ")} (in ${form}: ${gain(gainDb)})`;
  });
  const told = `${figures.join("; ")}${alone}`;
  if (named.length === 0) {
    return `${told}; no single weight costs it: ${remedies[activations]}`;
  }
  const options = layers.flatMap(({ layers: names, instead }) =>
    names.map((name) => (instead === 8 ? `--layer-bits '${name}=8'` : `--skip '${name}'`)),
  );
  return `${told}; of weights these cost most: ${named.join(", ")}; ${options.join(" ")}: ${gain(togetherDb)}`;
}
