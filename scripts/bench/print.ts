import type { Share } from "./profile.ts";

/** One line of the result. */
export interface Measurement {
  readonly network: string;
  readonly batch: number;
  readonly case: string;
  readonly medianMs: number;
  readonly minMs: number;
  /** Peak resident memory of a process of its own; null when not measured. */
  readonly peakMb: number | null;
  readonly imagesPerSecond: number;
}

/** The case of the PyTorch baseline that does the same work. */
const torchTwin = (name: string): string =>
  name.startsWith("fp32") || name === "torch-fp32"
    ? "torch-fp32"
    : name.includes("2-8") || name.includes("tape")
      ? "torch-2-8"
      : "torch-2-32";

/** A table for people: each case with its ratios of medians. */
export function table(measurements: readonly Measurement[]): string {
  const median = new Map(measurements.map(({ case: name, medianMs }) => [name, medianMs]));
  const ratio = (value: number, to: string) => {
    const reference = median.get(to);
    return reference === undefined ? "" : (value / reference).toFixed(2);
  };
  const rows = measurements.map(({ case: name, medianMs, minMs, peakMb, imagesPerSecond }) => [
    name,
    medianMs.toFixed(1),
    minMs.toFixed(1),
    imagesPerSecond.toFixed(0),
    peakMb === null ? "" : peakMb.toFixed(0),
    ratio(medianMs, "fp32"),
    ratio(medianMs, "fp32-tfjs"),
    ratio(medianMs, "sequential-tape"),
    ratio(medianMs, torchTwin(name)),
  ]);
  return columns([
    ["case", "median ms", "min ms", "images/s", "peak MB", "× fp32", "× tfjs", "× tape", "× torch"],
    ...rows,
  ]);
}

/** Parts of a step by their share of it, each followed by its operations. */
export function profileTable(shares: readonly Share[]): string {
  const whole = shares.filter(({ op }) => op === null).toSorted((a, b) => b.msPerStep - a.msPerStep);
  const total = whole.reduce((sum, { msPerStep }) => sum + msPerStep, 0);
  const row = (name: string, { msPerStep, callsPerStep }: Share) => [
    name,
    msPerStep.toFixed(2),
    `${((100 * msPerStep) / total).toFixed(1)} %`,
    callsPerStep.toFixed(1),
  ];
  const rows = whole.flatMap((part) => [
    row(part.part, part),
    ...shares
      .filter(({ part: name, op }) => name === part.part && op !== null)
      .toSorted((a, b) => b.msPerStep - a.msPerStep)
      .map((share) => row(`  ${share.op}`, share)),
  ]);
  return columns([["part", "ms/step", "share", "calls/step"], ...rows]);
}

/** Rows in columns: the first to the left, figures to the right; columns without figures are left out. */
function columns(rows: readonly (readonly string[])[]): string {
  const [, ...body] = rows;
  const used = [...rows[0]!.keys()].filter((column) => body.some((row) => row[column] !== ""));
  const widths = used.map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      used
        .map((column, index) =>
          index === 0 ? row[column]!.padEnd(widths[index]!) : row[column]!.padStart(widths[index]!),
        )
        .join("  "),
    )
    .join("\n");
}
