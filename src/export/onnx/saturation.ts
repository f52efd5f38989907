import type { Saturation } from "../../config/sections/export-settings.ts";
import { sumsSaturate } from "../../onnx/saturating-sums.ts";

/** What weights of 8 bits get where nobody asks for anything: a file computes right on the machine that writes it. */
export const defaultSaturation = async (): Promise<Saturation> => ((await sumsSaturate()) ? "avoid" : "allow");

/** What users of other processors should know of a file in whose layers sums of two products may leave 16 bits. */
export function saturationNote(layers: readonly string[]): readonly string[] {
  if (layers.length === 0) return [];
  const where = layers.length === 1 ? layers.join() : `${layers.length} layers`;
  return [
    `on x86 processors without VNNI sums of products may saturate in ${where}: write it with saturation: avoid for those`,
  ];
}
