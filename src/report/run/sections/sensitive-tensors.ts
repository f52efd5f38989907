import type { Sensitivity } from "../../../runs/analysis.ts";
import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { gainOf, mainMetric, mainValue } from "../../../tasks/metric.ts";
import type { BitWidth } from "../../page/chips.ts";
import { meanOf, type TensorBits } from "../../page/tensor-bits.ts";
import { tensorBitsNow } from "../run-state.ts";

/** One width of one tensor, the others as they are: how the main metric and the costs would differ. */
export interface Alternative {
  readonly bits: BitWidth;
  /** Of the main metric; percentages in points. */
  readonly difference: number;
  /** Larger is better. */
  readonly gain: number;
  /** Standard error of the difference; null where it is not known. */
  readonly error: number | null;
  readonly bytes: number;
  /** Points of percent of the 32-bit network's. */
  readonly relativeBops: number;
}

/** A tensor with what its other widths would give. */
export interface SensitiveTensor {
  readonly name: string;
  readonly bits: TensorBits | null;
  readonly signalToNoise: number | null;
  readonly alternatives: readonly Alternative[];
}

/** A difference is one beyond so many standard errors: the best of dozens of tensors is by chance two away. */
export const certainErrors = 3;

/** The tensors that were measured, those first whose bits matter most. */
export function sensitiveTensors(
  record: RunRecord,
  { sensitivity, result }: { readonly sensitivity: Sensitivity; readonly result: RunResult },
): readonly SensitiveTensor[] {
  const { task, quantizers } = record;
  const known = new Map(quantizers.map((quantizer) => [quantizer.id, quantizer]));
  const metric = mainMetric(task);
  const now = mainValue(task, sensitivity.metrics);
  const matters = ({ alternatives }: SensitiveTensor) => Math.max(0, ...alternatives.map(({ gain }) => Math.abs(gain)));
  return sensitivity.tensors
    .map(({ quantizer, signalToNoise, choices }): SensitiveTensor => {
      const { role, layer } = known.get(quantizer) ?? { role: "tensor", layer: quantizer };
      return {
        name: role === "activation" ? `output of ${layer}` : `${role} of ${layer}`,
        bits: tensorBitsNow(record, quantizer),
        signalToNoise,
        alternatives: choices.map(({ bits, metrics, error, bytes, relativeBops }) => {
          const difference = mainValue(task, metrics) - now;
          return {
            ...{ bits, difference, error, gain: gainOf(metric, difference) },
            bytes: bytes - result.bytes.packed,
            relativeBops: relativeBops - result.relativeBops,
          };
        }),
      };
    })
    .toSorted((one, other) => matters(other) - matters(one));
}

/** A tensor at one of its other widths. */
export interface Advised extends Alternative {
  readonly name: string;
}

/** What more bits would gain for certain, most first. */
export const certainGains = (tensors: readonly SensitiveTensor[]): readonly Advised[] =>
  advised(
    tensors,
    ({ bits, gain, error }, now) => bits > now && error !== null && gain > certainErrors * error,
  ).toSorted((one, other) => other.gain - one.gain);

/** What fewer bits would save, in bytes first, without a loss that can be told; most first. */
export const freeSavings = (tensors: readonly SensitiveTensor[]): readonly Advised[] =>
  advised(tensors, ({ bits, gain, error }, now) => bits < now && error !== null && gain >= 0 - error).toSorted(
    (one, other) => one.bytes - other.bytes || one.relativeBops - other.relativeBops,
  );

const advised = (
  tensors: readonly SensitiveTensor[],
  holds: (alternative: Alternative, now: number) => boolean,
): readonly Advised[] =>
  tensors.flatMap(({ name, bits: now, alternatives }) =>
    now === null ? [] : alternatives.filter((one) => holds(one, meanOf(now))).map((one) => ({ name, ...one })),
  );
