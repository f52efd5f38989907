/** A figure that tells how well a network does its task. */
export interface Metric {
  /** Its name in records and for machines. */
  readonly key: string;
  /** Its name in prose, behind a value or before it. */
  readonly label: string;
  /** What is written behind a value: `%`, or nothing. */
  readonly unit: "%" | "";
  /** Digits behind the point that are shown. */
  readonly digits: number;
  readonly better: "higher" | "lower";
  /** What a network comes to that looks at no image; null where that is not known. */
  readonly chance: number | null;
  /** Whether it is a percentage of the images, for which Wilson's interval holds. */
  readonly isShare: boolean;
}

/** Values by the metrics' keys. */
export type Metrics = Readonly<Record<string, number>>;

/** All of them in a line, the main one first: `99.06 % top-1`. */
export const metricsText = (metrics: readonly Metric[], values: Metrics): string =>
  metrics
    .flatMap((metric) => {
      const value = values[metric.key];
      return value === undefined ? [] : [`${metricText(metric, value)} ${metric.label}`];
    })
    .join(", ");

/** A value of a metric as text: 99.061 → `99.06 %`. */
export const metricText = ({ unit, digits }: Pick<Metric, "unit" | "digits">, value: number): string =>
  `${value.toFixed(digits)}${unit === "" ? "" : ` ${unit}`}`;
