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

/** What every output is above. */
export const noThresholds: Thresholds = { minSqnrDb: Number.NEGATIVE_INFINITY, minAgreement: 0 };

/** The outputs below the thresholds. */
export const below = (
  outputs: readonly OutputComparison[],
  { minSqnrDb, minAgreement }: Thresholds,
): readonly OutputComparison[] =>
  outputs.filter(
    ({ same, sqnrDb, agreement }) =>
      !same && ((sqnrDb !== null && sqnrDb < minSqnrDb) || (agreement !== null && agreement < minAgreement)),
  );

/** One line: what is below, which layers cost most, and what to do. */
export function describeLoss(
  outputs: readonly OutputComparison[],
  { minSqnrDb, minAgreement }: Thresholds,
  costs: Costs,
): string {
  const figures = outputs.map(({ name, sqnrDb, agreement }) => {
    const parts = [
      sqnrDb === null ? null : `${sqnrDb.toFixed(1)} dB (${minSqnrDb} wanted)`,
      agreement === null ? null : `the same class for ${agreement.toFixed(2)} % (${minAgreement} % wanted)`,
    ];
    return `"${name}" has ${parts.filter((part) => part !== null).join(", ")}`;
  });
  const { layers, weightsDb, togetherDb } = costs;
  const alone = weightsDb === null ? "" : `; with weights alone quantized outputs have ${weightsDb.toFixed(1)} dB`;
  const named = layers.map(({ layers: names, instead, gainDb }) => {
    const form = instead === 8 ? "8 bits" : "float";
    return `${names.join(" and ")} (in ${form}: ${gainDb.toFixed(1)} dB more)`;
  });
  if (named.length === 0) return `${figures.join("; ")}${alone}; no single weight costs it: try --activations 16 or 32`;
  const options = layers.flatMap(({ layers: names, instead }) =>
    names.map((name) => (instead === 8 ? `--layer-bits '${name}=8'` : `--skip '${name}'`)),
  );
  return `${figures.join("; ")}${alone}; of weights these cost most: ${named.join(", ")}; ${options.join(" ")} gives ${togetherDb.toFixed(1)} dB more`;
}
