import { z } from "zod";
import { layerwiseMethods } from "../config/sections/methods/layerwise-settings.ts";
import { type WeightWidths, widthsText } from "../quantization/weight-widths.ts";
import type { Memo } from "./memo.ts";
import type { SolvedSite } from "./solve-site.ts";
import { type WeightSite, weightKey } from "./weight-site.ts";

const solvedSchema = z.strictObject({
  /** int8, in base64. */
  codes: z.base64(),
  /** float32, in base64. */
  steps: z.base64(),
  method: z.enum(layerwiseMethods),
});

/** Where a weight stands that was solved in some phase of a run. */
interface Place {
  /** What layers saw, which codes depend on. */
  readonly phase: string;
  readonly site: WeightSite;
  readonly bits: WeightWidths;
}

const keyOf = ({ phase, site, bits }: Place): string => `codes ${phase} ${widthsText(bits)} ${weightKey(site)}`;

/** A weight that was solved before; null: it was not, or what was kept does not fit it. */
export function recallSolved(memo: Memo, place: Place): SolvedSite | null {
  const known = solvedSchema.safeParse(memo.recall(keyOf(place)));
  if (!known.success) return null;
  const { site, bits } = place;
  const codes = Int32Array.from(new Int8Array(Buffer.from(known.data.codes, "base64")));
  const bytes = Uint8Array.from(Buffer.from(known.data.steps, "base64"));
  if (codes.length !== site.values.length || bytes.length % 4 !== 0) return null;
  return { site, bits, codes, steps: new Float32Array(bytes.buffer), method: known.data.method };
}

/** Keeps a weight that was solved in some phase. */
export function keepSolved(memo: Memo, phase: string, { site, bits, codes, steps, method }: SolvedSite): void {
  const text = (numbers: Int8Array | Float32Array) =>
    Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString("base64");
  memo.keep(keyOf({ phase, site, bits }), { codes: text(Int8Array.from(codes)), steps: text(steps), method });
}
