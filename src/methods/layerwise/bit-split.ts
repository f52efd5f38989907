import { at, first } from "../../core/elements.ts";
import type { Ops } from "../../engine/ops.ts";
import { descendDigits, stitched } from "../../quantization/bit-split/digit-descent.ts";
import { type Planes, pointShift, split } from "../../quantization/bit-split/digits.ts";
import { leastSquaresCodes } from "../../quantization/bit-split/least-squares-step.ts";
import type { ChannelSums } from "../../quantization/channel-sums.ts";
import { descendCodes, fittedStep } from "../../quantization/code-descent.ts";
import type { GramSums } from "../../quantization/gram.ts";
import { largestMagnitude } from "../../quantization/scale-search.ts";
import { decode, nearestCode, outermostCode, rowOf, type WeightMatrix } from "../../quantization/weight-grid.ts";
import { channelErrors, uploadRows } from "./layer-error.ts";
import { channelSums, layerGrams } from "./layer-grams.ts";
import { distinctRows, type LayerProblem, type SolveLayer } from "./layer-problem.ts";
import { share, total } from "./layer-statistics.ts";

export interface BitSplitOptions {
  /** Most passes over the digits of a channel; 0 leaves stage 2 out. The authors run 100. */
  readonly epochs: number;
  /** Afterwards, change single codes by ±1 while that lowers the error. Not the authors'. */
  readonly unitChanges: boolean;
}

/**
 * Bit-Split and Stitching (Wang et al. 2020): codes and step of each output channel, first by least squares on the
 * weights, then digit by digit on the layer's output before the activation. Errors are measured there too.
 */
export const bitSplit = (options: BitSplitOptions): SolveLayer =>
  function* (problem, ops) {
    const { weight, bits } = problem;
    const grams = layerGrams(problem, ops);
    if (distinctRows(problem.rows, weight.inputs) < weight.inputs) pullTowards(weight, grams);
    const channels: SolvedChannel[] = [];
    for (const start of startsOf({ weight, bits }, grams, ops)) {
      const weights = rowOf(weight.values, channels.length, weight.inputs);
      const solved = solveChannel(start, channelSums(grams, channels.length), options);
      channels.push(nearItsWeights(weights, solved));
      yield channels.length / weight.outputs;
    }
    const start = layerOf(channels.map(({ start }) => start));
    const final = layerOf(channels.map(({ final }) => final));
    const error = ops.scope(
      () => {
        const linear = { ...problem, rectified: false, limit: null };
        const rows = uploadRows(ops, linear);
        return [start, final].map(({ codes, steps }) =>
          total(channelErrors(ops, linear, rows, decode(codes, steps, weight.inputs))),
        );
      },
      () => [],
    );
    const highest = outermostCode(bits);
    return {
      ...final,
      statistics: {
        nearestError: first(error),
        error: at(error, 1),
        flipped: share(final.codes, (code, index) => {
          const step = final.steps[Math.floor(index / weight.inputs)]!;
          return code !== nearestCode(weight.values[index]!, { step, lowest: -highest, highest });
        }),
        settled: null,
        iterations: channels.reduce((most, { epochs }) => Math.max(most, epochs), 0),
      },
    };
  };

/** Share of the mean diagonal that stands for rows that are missing. */
const PULL = 0.01;

/**
 * Fewer rows than inputs leave directions in which the codes could go anywhere. There the float weights decide: as if
 * each input had been seen alone once more, faintly, with the output that its float weight gives. Changes the sums.
 */
function pullTowards({ values, inputs }: WeightMatrix, grams: readonly GramSums[]): void {
  for (const [group, { products, cross, energy }] of grams.entries()) {
    let trace = 0;
    for (let n = 0; n < inputs; n++) trace += products[n * inputs + n]!;
    const pull = (PULL * trace) / inputs;
    for (let n = 0; n < inputs; n++) products[n * inputs + n]! += pull;
    const weights = rowOf(values, group, cross.length);
    weights.forEach((weight, index) => {
      cross[index]! += pull * weight;
      energy[Math.floor(index / inputs)]! += pull * weight * weight;
    });
  }
}

interface ChannelCodes {
  readonly codes: Int32Array;
  readonly step: number;
}

/** Nearest at the least-squares step, and in digits. */
interface ChannelStart extends ChannelCodes {
  readonly planes: Planes;
  /** products·plane of each plane, where the engine has computed them. */
  readonly images?: readonly Float64Array[];
}

/** Layers of fewer inputs have no products computed by the engine: calls would cost more than they save. */
const FEWEST_INPUTS = 64;
/** Numbers of such products at once: 64 MiB. */
const MOST_NUMBERS = 2 ** 23;

/** Where each channel starts. */
function* startsOf(
  { weight: { values, inputs }, bits }: Pick<LayerProblem, "weight" | "bits">,
  grams: readonly GramSums[],
  ops: Ops,
): Generator<ChannelStart> {
  const atOnce = Math.max(1, Math.floor(MOST_NUMBERS / ((bits - 1) * inputs)));
  for (const [group, { products, energy }] of grams.entries()) {
    const outputs = energy.length;
    for (let channel = 0; channel < outputs; channel += atOnce) {
      const starts = Array.from({ length: Math.min(atOnce, outputs - channel) }, (_, index): ChannelStart => {
        const row = rowOf(values, group * outputs + channel + index, inputs);
        const start = leastSquaresCodes(row, bits);
        return { ...start, planes: split(start.codes, bits) };
      });
      yield* inputs < FEWEST_INPUTS ? starts : withImages(starts, { products, inputs, ops });
    }
  }
}

function withImages(
  starts: readonly ChannelStart[],
  { products, inputs, ops }: { readonly products: Float64Array; readonly inputs: number; readonly ops: Ops },
): readonly ChannelStart[] {
  const planes = starts.flatMap((start) => start.planes);
  const rows = new Float32Array(planes.length * inputs);
  for (const [row, plane] of planes.entries()) rows.set(plane, row * inputs);
  const images = ops.extension("leastSquares").images(products, rows);
  let row = 0;
  return starts.map((start) => ({ ...start, images: start.planes.map(() => rowOf(images, row++, inputs)) }));
}

interface SolvedChannel {
  readonly start: ChannelCodes;
  readonly final: ChannelCodes;
  readonly epochs: number;
}

/** Decoded weights reach no further than so many times the largest float weight: usually it is 0.5 to 1.2 times. */
const FARTHEST = 2;

/**
 * What a channel is solved to, where that still has to do with its weights. Where the rows all but cancel in a channel's
 * output, the least-squares step is a quotient of rounding noise: the channel keeps the codes of stage 1 then.
 */
function nearItsWeights(weights: Float32Array, solved: SolvedChannel): SolvedChannel {
  const { codes, step } = solved.final;
  const reach = step * largestMagnitude(codes);
  return reach > FARTHEST * largestMagnitude(weights) ? { ...solved, final: solved.start } : solved;
}

/** Both stages for one channel: where it starts and where it ends. */
function solveChannel(
  { codes: nearest, step: nearestStep, planes, images }: ChannelStart,
  sums: ChannelSums,
  { epochs, unitChanges }: BitSplitOptions,
): SolvedChannel {
  const start = { codes: nearest, step: nearestStep };
  // Without any signal the output says nothing; all digits would become 0.
  if (sums.products.every((product) => product === 0)) return { start, final: start, epochs: 0 };
  const bits = planes.length + 1;
  const alpha = start.step * pointShift(bits);
  const descended = descendDigits(sums, { planes, alpha, ...(images && { images }) }, { epochs });
  const { step, ...own } = stitched(descended);
  const { codes } = own;
  // The digits' last epoch used the scale before it; a last least-squares step can only lower the error.
  let fitted = epochs > 0 ? fittedStep(sums, own, step) : step;
  if (unitChanges) {
    const ends = (code: number) => new Int32Array(codes.length).fill(code);
    const bounds = { lowest: ends(-outermostCode(bits)), highest: ends(outermostCode(bits)) };
    if (descendCodes(sums, own, fitted, bounds) > 0) fitted = fittedStep(sums, own, fitted);
  }
  return { start, final: { codes, step: fitted }, epochs: descended.epochs };
}

/** Channels side by side; steps as float32, which is what a file holds. */
function layerOf(channels: readonly ChannelCodes[]): { readonly codes: Int32Array; readonly steps: Float32Array } {
  return {
    codes: Int32Array.from(channels.flatMap(({ codes }) => [...codes])),
    steps: Float32Array.from(channels, ({ step }) => step),
  };
}
