import type { LayerwiseSettings } from "../methods/layerwise/create-layerwise.ts";

/** In how many places of each sample layers are looked at: few samples in more, for as many rows as of all that are asked for. */
export const placesOf = (
  { images, positions }: Pick<LayerwiseSettings["calibration"], "images" | "positions">,
  samples: number,
): number => Math.ceil((positions * images) / samples);

/** A method whose steps see no more rows where samples have more places than are asked for. */
export function forPlaces(method: LayerwiseSettings, positions: number): LayerwiseSettings {
  const asked = method.calibration.positions;
  if (method.name !== "adaround" || positions <= asked) return method;
  return { ...method, batchSize: Math.max(1, Math.round((method.batchSize * asked) / positions)) };
}
