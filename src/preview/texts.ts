import { countText } from "../core/count-text.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Timing } from "./measure-training.ts";

/** What is learned of each image: `10 classes`. */
export function targetsText(targets: Dataset["targets"]): string {
  switch (targets.kind) {
    case "classes":
      return `${targets.names.length} classes`;
    case "values":
      return `${targets.outputs} values for each`;
    case "masks":
      return `${targets.names.length} classes of pixels`;
    case "labels":
      return `${targets.names.length} labels`;
    case "none":
      return "no labels";
  }
}

/** What a training step was seen to take: `12.3 ms for 16 images (median of 9), 15 an epoch`. */
export const stepText = ({ step, steps }: Timing, batchSize: number, stepsPerEpoch: number): string =>
  `${secondsText(step)} for ${batchSize} images (median of ${steps}), ${countText(stepsPerEpoch)} an epoch`;

const secondsText = (seconds: number): string =>
  seconds < 1 ? `${(1000 * seconds).toPrecision(3)} ms` : `${seconds.toFixed(1)} s`;
