import { z } from "zod";
import { listOf } from "../core/list-schema.ts";

/** How a figure is written: `top-1` is 99.06 %. */
const appearance = {
  label: z.string().describe("its name in prose"),
  unit: z.string().describe("what stands behind a value: %, a word, or nothing"),
  digits: z.int().nonnegative().nullable().describe("behind the point; null: four significant ones"),
};

const key = z.string().describe("its name for machines");

export const metricSchema = z.object({
  key,
  ...appearance,
  better: z.enum(["higher", "lower"]),
  chance: z.number().nullable().describe("what a network comes to that looks at no image; null: not known"),
  isShare: z.boolean().describe("whether it is a percentage of the images, for which Wilson's interval holds"),
});

export const figureSchema = z.object({ key, ...appearance, value: z.number() });

export const taskDescriptionSchema = z.object({
  metrics: listOf(metricSchema)
    .transform(([main, ...others], context): [Metric, ...Metric[]] => {
      if (main !== undefined) return [main, ...others];
      context.issues.push({ code: "custom", input: [], message: "expected the task's main metric" });
      return z.NEVER;
    })
    .describe("figures of an evaluation, the main one first"),
  loss: z
    .object({ ...appearance, chance: z.number().optional().describe("of a network that looks at no image, if known") })
    .describe("what training lowers beside the prior: a mean over images"),
  judge: z.literal("teacher").optional().describe("whose answers count as right, where the data has no labels"),
});

/** A figure that tells how well a network does its task. */
export type Metric = Readonly<z.infer<typeof metricSchema>>;

/** A figure with its value. */
export type Figure = Readonly<z.infer<typeof figureSchema>>;

/** What a task is judged by. */
export type TaskDescription = Readonly<z.infer<typeof taskDescriptionSchema>>;

/** Values by the metrics' keys. */
export type Metrics = Readonly<Record<string, number>>;

type Appearance = Pick<Metric, "unit" | "digits">;

/** The main metric. */
export const mainMetric = ({ metrics }: Pick<TaskDescription, "metrics">): Metric => metrics[0];

/** The main metric's value. A record without one is refused when it is read. */
export function mainValue(task: Pick<TaskDescription, "metrics">, values: Metrics): number {
  const { key } = mainMetric(task);
  const value = values[key];
  if (value === undefined) throw new Error(`no ${key} among the metrics ${Object.keys(values).join(", ")}`);
  return value;
}

/** The main metric with its value. */
export function mainFigure(task: Pick<TaskDescription, "metrics">, values: Metrics): Figure {
  const { key, label, unit, digits } = mainMetric(task);
  return { key, label, unit, digits, value: mainValue(task, values) };
}

/** A value that is larger the better. */
export const gainOf = ({ better }: Pick<Metric, "better">, value: number): number =>
  better === "higher" ? value : -value;

/** A value without its unit: 99.061 → `99.06`, or with four significant digits `0.01235`. */
export const digitsText = ({ digits }: Pick<Metric, "digits">, value: number): string =>
  digits === null ? String(Number(value.toPrecision(4))) : value.toFixed(digits);

/** A signed difference without its unit: `−0.09`, `±0.00`, `+0.0021`. */
export function signedText({ digits }: Pick<Metric, "digits">, difference: number): string {
  const size = digitsText({ digits }, Math.abs(difference));
  return `${Number(size) === 0 ? "±" : difference < 0 ? "−" : "+"}${size}`;
}

/** A value with its unit: 99.061 → `99.06 %`. */
export const valueText = ({ unit, digits }: Appearance, value: number): string =>
  `${digitsText({ digits }, value)}${unit === "" ? "" : ` ${unit}`}`;

/** A figure in a line: `99.06 % top-1`. */
export const figureText = ({ label, value, ...appearance }: Omit<Figure, "key">): string =>
  `${valueText(appearance, value)} ${label}`;

/** The same the other way round: `top-1 99.06 %`. */
export const namedText = ({ label, value, ...appearance }: Omit<Figure, "key">): string =>
  `${label} ${valueText(appearance, value)}`;

/** Those of the metrics that have a value, the main one first: `99.06 % top-1`. */
export const metricsText = ({ metrics }: Pick<TaskDescription, "metrics">, values: Metrics): string =>
  metrics
    .flatMap((metric) => {
      const value = values[metric.key];
      return value === undefined ? [] : [figureText({ ...metric, value })];
    })
    .join(", ");
