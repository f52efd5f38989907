import type { ExportForm } from "../../config/sections/export-settings.ts";
import type { ExportRecord, RunRecord } from "../../runs/record.ts";
import { bytes, fixed, integer } from "../page/format.ts";

/** Whether a form is for programs that run the network, or for looking at it and for other tools. */
const ships: Readonly<Record<ExportForm, boolean>> = {
  compact: true,
  packed: true,
  int8: true,
  nbits: true,
  fp32: false,
  qonnx: false,
  tflite: true,
  "c-array": true,
};

export interface Recommendation {
  readonly exported: ExportRecord;
  /** Why this one, as what follows the file's name in a sentence. */
  readonly reason: string;
}

export type Speed = NonNullable<NonNullable<ExportRecord["verification"]>["latency"]>[number];

/** How long a file takes for the smallest batch that was measured, as that is what one waits for; null: not measured. */
export const speedOf = ({ verification }: ExportRecord): Speed | null =>
  (verification?.latency ?? []).toSorted((one, other) => one.batch - other.batch)[0] ?? null;

/** A file's time over that of the unpruned network in float32, measured in turn. */
export const slowdown = ({ medianMs, fp32MedianMs }: Speed): number => medianMs / fp32MedianMs;

/** Two times that differ by less are the same: so much do measurements of one file vary. */
const noise = 1.05;

/** "3.0 times slower", "1.4 times faster", "as fast": than float32. */
export function speedText(speed: Speed): string {
  const ratio = slowdown(speed);
  if (!Number.isFinite(ratio) || ratio <= 0) return "not measurable";
  if (ratio > noise) return `${timesText(ratio)} times slower`;
  return 1 / ratio > noise ? `${timesText(1 / ratio)} times faster` : "as fast";
}

const timesText = (ratio: number): string =>
  ratio < 1.95 ? fixed(ratio, 2) : ratio < 100 ? fixed(ratio, 1) : integer(ratio);

/** Of files whose speed differs by less the smallest is taken. */
const alike = 1.1;

/**
 * The file to ship: of those that a runtime has verified the fastest against float32, and where others are as fast, the
 * smallest of them; the smallest where no time was measured. Null where no file has been written.
 */
export function recommendedExport({ exports }: Pick<RunRecord, "exports">): Recommendation | null {
  const shipping = exports.filter(({ form }) => ships[form]);
  const all = shipping.length > 0 ? shipping : exports;
  const verified = all.filter(({ verification }) => verification !== null);
  const candidates = verified.length > 0 ? verified : all;
  const measured = candidates.flatMap((exported) => {
    const speed = speedOf(exported);
    return speed === null ? [] : [{ exported, speed }];
  });
  if (measured.length > 0) return fastest(measured, candidates);
  const exported = smallest(candidates);
  if (exported === null) return null;
  const why = candidates.length > 1 ? "is the smallest" : exports.length > 1 ? "is the one to run" : "is the only file";
  const unknown = verified.length > 0 ? "its speed was not measured" : "no runtime has verified it";
  return { exported, reason: `${why}; ${unknown}` };
}

interface Measured {
  readonly exported: ExportRecord;
  readonly speed: Speed;
}

function fastest(measured: readonly Measured[], candidates: readonly ExportRecord[]): Recommendation | null {
  const least = Math.min(...measured.map(({ speed }) => slowdown(speed)));
  const asFast = measured.filter(({ speed }) => slowdown(speed) <= alike * least);
  const exported = smallest(asFast.map((one) => one.exported));
  const chosen = asFast.find((one) => one.exported === exported);
  if (exported === null || chosen === undefined) return null;
  const rank =
    measured.length === 1
      ? candidates.length === 1
        ? "is the only file to run"
        : "is the only one whose speed was measured"
      : asFast.length > 1
        ? "is as fast as any other, and the smallest of those"
        : "is the fastest";
  const least32 = least > noise && measured.length > 1 ? "; none is as fast as float32" : "";
  return { exported, reason: `${rank}: ${against(chosen.speed)}${least32}${smaller(exported, measured)}` };
}

const against = (speed: Speed): string =>
  `${speedText(speed)} ${slowdown(speed) > noise || 1 / slowdown(speed) > noise ? "than" : "as"} float32`;

/** What one would gain in bytes by another file, and lose in time. */
function smaller(exported: ExportRecord, measured: readonly Measured[]): string {
  const other = measured.find((one) => one.exported === smallest(measured.map((each) => each.exported)));
  if (other === undefined || other.exported.bytes >= exported.bytes) return "";
  return `; ${other.exported.file} is smaller (${bytes(other.exported.bytes)}) and ${speedText(other.speed)} ${
    slowdown(other.speed) > noise ? "than float32" : "there"
  }`;
}

const smallest = (exports: readonly ExportRecord[]): ExportRecord | null =>
  exports.reduce<ExportRecord | null>((least, one) => (least === null || one.bytes < least.bytes ? one : least), null);
