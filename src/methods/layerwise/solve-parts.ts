import { at } from "../../core/elements.ts";
import { withHearing } from "../../core/stepwise.ts";
import type { Ops } from "../../engine/ops.ts";
import type { GridBits } from "../../quantization/levels.ts";
import { rowOf } from "../../quantization/weight-grid.ts";
import type { LayerProblem, LayerSolution, LayerStatistics, SolveLayer, UnsizedProblem } from "./layer-problem.ts";
import { usefulSteps } from "./useful-steps.ts";

type Width = Exclude<GridBits, 32>;

/** Output channels of one width, and a problem that has them. */
interface ProblemPart<W extends Width> {
  readonly width: W;
  /** Of the whole problem. */
  readonly channels: readonly number[];
  readonly part: UnsizedProblem;
  /** Which output channel of the part the one at a place of `channels` is. */
  of(place: number): number;
}

export interface SolvePartsOptions<W extends Width> {
  /** What solves channels of so many bits. */
  readonly solver: (width: W) => SolveLayer;
  readonly ops: Ops;
  /** Hears the share that is done; throws to end there. */
  readonly hear: (share: number) => Promise<void>;
}

/**
 * Solves a layer whose output channels have one width, or one each: those of each width apart.
 *
 * @param bits Of the weight, or of each of its output channels.
 */
export async function solveParts<W extends Width>(
  { name, ...problem }: Omit<LayerProblem, "bits">,
  bits: W | readonly W[],
  { solver, ops, hear }: SolvePartsOptions<W>,
): Promise<LayerSolution> {
  const { outputs, inputs } = problem.weight;
  const codes = new Int32Array(outputs * inputs);
  const steps = new Float32Array(outputs);
  const parts = partsOf(problem, bits);
  const statistics: ShareOf[] = [];
  for (const [index, { width, channels, of, part }] of parts.entries()) {
    const solution = await withHearing(solver(width)({ ...part, name, bits: width }, ops), (share) =>
      hear((index + share) / parts.length),
    );
    const own = new Int32Array(channels.length * inputs);
    for (const place of channels.keys()) own.set(rowOf(solution.codes, of(place), inputs), place * inputs);
    const ownSteps = usefulSteps(
      own,
      Float32Array.from(channels, (_, place) => at(solution.steps, of(place))),
    );
    for (const [place, channel] of channels.entries()) {
      codes.set(rowOf(own, place, inputs), channel * inputs);
      steps[channel] = at(ownSteps, place);
    }
    const ofPart = channels.length / part.weight.outputs;
    statistics.push({ ...solution.statistics, ofPart, ofWhole: channels.length / outputs });
  }
  return { codes, steps, statistics: together(statistics) };
}

interface ShareOf extends LayerStatistics {
  /** Of the channels that were solved together, how many were asked for. */
  readonly ofPart: number;
  /** Of the layer's channels, how many they are. */
  readonly ofWhole: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Errors are sums over channels, shares are means. */
function together(parts: readonly ShareOf[]): LayerStatistics {
  const settled = parts.flatMap(({ settled, ofWhole }) => (settled === null ? [] : [{ settled, ofWhole }]));
  const within = sum(settled.map(({ ofWhole }) => ofWhole));
  return {
    nearestError: sum(parts.map(({ nearestError, ofPart }) => ofPart * nearestError)),
    error: sum(parts.map(({ error, ofPart }) => ofPart * error)),
    flipped: sum(parts.map(({ flipped, ofWhole }) => ofWhole * flipped)),
    settled: within === 0 ? null : sum(settled.map(({ settled, ofWhole }) => (ofWhole / within) * settled)),
    iterations: Math.max(...parts.map(({ iterations }) => iterations)),
  };
}

/**
 * A problem for each width: methods solve channels one by one, so that those of a width are a problem of their own. Groups of
 * a convolution each have as many channels, and stay whole.
 */
function partsOf<W extends Width>(problem: UnsizedProblem, bits: W | readonly W[]): readonly ProblemPart<W>[] {
  const { weight, rows } = problem;
  const all = Array.from({ length: weight.outputs }, (_, channel) => channel);
  if (typeof bits === "number") return [{ width: bits, channels: all, part: problem, of: (place) => place }];
  const widths = [...new Set(bits)].sort((one, other) => one - other);
  return widths.map((width): ProblemPart<W> => {
    const channels = all.filter((channel) => bits[channel] === width);
    if (rows.groups > 1) return { width, channels, part: problem, of: (place) => channels[place] ?? place };
    return { width, channels, part: partOf(problem, channels), of: (place) => place };
  });
}

function partOf({ weight, bias, rows, ...ending }: UnsizedProblem, channels: readonly number[]): UnsizedProblem {
  const { outputs, inputs } = weight;
  const values = new Float32Array(channels.length * inputs);
  for (const [place, channel] of channels.entries()) values.set(rowOf(weight.values, channel, inputs), place * inputs);
  const targets = new Float32Array((rows.targets.length / outputs) * channels.length);
  for (let row = 0, to = 0; to < targets.length; row++) {
    for (const channel of channels) targets[to++] = rows.targets[row * outputs + channel]!;
  }
  return {
    ...ending,
    weight: { values, outputs: channels.length, inputs },
    bias: bias && Float32Array.from(channels, (channel) => bias[channel]!),
    rows: { ...rows, targets },
  };
}
