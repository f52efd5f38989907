import { rowOf, type WeightBits } from "../quantization/weight-grid.ts";
import { distinctWidths, type WeightWidths } from "../quantization/weight-widths.ts";
import type { SiteProblem } from "./site-problem.ts";

/** Output channels of one width, and a problem that has them. */
interface ProblemPart {
  readonly width: WeightBits;
  /** Of the whole problem. */
  readonly channels: readonly number[];
  readonly part: SiteProblem;
  /** Which output channel of the part the one at a place of `channels` is. */
  of(place: number): number;
}

/**
 * A problem for each width: methods solve channels one by one, so that those of a width are a problem of their own. Groups of
 * a convolution each have as many channels, and stay whole.
 */
export function partsOf(problem: SiteProblem, bits: WeightWidths): readonly ProblemPart[] {
  const { weight, rows } = problem;
  const all = Array.from({ length: weight.outputs }, (_, channel) => channel);
  if (typeof bits === "number") return [{ width: bits, channels: all, part: problem, of: (place) => place }];
  return distinctWidths(bits).map((width): ProblemPart => {
    const channels = all.filter((channel) => bits[channel] === width);
    if (rows.groups > 1) return { width, channels, part: problem, of: (place) => channels[place] ?? place };
    return { width, channels, part: partOf(problem, channels), of: (place) => place };
  });
}

function partOf({ weight, bias, rows, ...ending }: SiteProblem, channels: readonly number[]): SiteProblem {
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
