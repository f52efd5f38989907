import { subset } from "../../core/random.ts";
import type { Conv2dGeometry } from "../../engine/ops.ts";
import type { CalibrationRows } from "./layer-problem.ts";
import { copyPatches } from "./patches.ts";

/** Values of a feature map, [batch, height, width, channels]; a dense layer's are [batch, 1, 1, features]. */
export interface FeatureMap {
  readonly values: Float32Array;
  readonly shape: readonly [batch: number, height: number, width: number, channels: number];
}

export interface LayerGeometry extends Conv2dGeometry {
  readonly kernel: readonly [height: number, width: number];
  readonly groups: number;
  /** Channels in and out, of all groups together. */
  readonly channels: readonly [inputs: number, outputs: number];
  /** Positions of one output image. */
  readonly output: readonly [rows: number, columns: number];
}

/** A dense layer as a convolution over one position, or over those of the axes before the last. */
export const denseGeometry = (inputs: number, outputs: number, positions = 1): LayerGeometry => ({
  kernel: [1, 1],
  groups: 1,
  channels: [inputs, outputs],
  output: [1, positions],
  strides: [1, 1],
  dilations: [1, 1],
  padding: { top: 0, bottom: 0, left: 0, right: 0 },
});

/**
 * Gathers calibration rows batch by batch: of each image the patches (input channel, kernel row, kernel column; zeros
 * where the padding lies) and outputs at `positions` random places, or at all of them, row by row, where the image has no
 * more.
 */
export class RowCollector {
  readonly #geometry: LayerGeometry;
  readonly #noise: { readonly seed: number; readonly stream: string };
  readonly #samples: number;
  readonly #positions: number;
  readonly #inputs: Float32Array;
  readonly #targets: Float32Array;
  #collected = 0;

  constructor(
    geometry: LayerGeometry,
    {
      samples,
      positions,
      seed,
      layer,
      targets = true,
    }: { samples: number; positions: number; seed: number; layer: string; targets?: boolean },
  ) {
    const { kernel, groups, channels, output } = geometry;
    this.#geometry = geometry;
    this.#noise = { seed, stream: `${layer}.positions` };
    this.#samples = samples;
    this.#positions = Math.min(positions, output[0] * output[1]);
    const rows = samples * this.#positions;
    this.#inputs = new Float32Array(rows * channels[0] * kernel[0] * kernel[1]);
    this.#targets = new Float32Array(targets ? rows * channels[1] : 0);
    if (channels[0] % groups !== 0 || channels[1] % groups !== 0)
      throw new Error(`${layer}: ${channels} channels do not divide into ${groups} groups`);
  }

  /** Adds the layer's inputs and, where there are targets, the float layer's outputs, before the activation, for the next images. */
  add(x: FeatureMap, y: FeatureMap | null): void {
    for (let image = 0; image < x.shape[0]; image++) {
      const places = this.#places();
      const row = this.#collected * this.#positions;
      this.#copyPatches(x, image, places, row);
      for (let index = 0; y !== null && index < places.length; index++)
        this.#copyOutputs(y, image, places[index]!, row + index);
      this.#collected++;
    }
  }

  rows(): CalibrationRows {
    if (this.#collected !== this.#samples)
      throw new Error(`${this.#noise.stream}: ${this.#collected} of ${this.#samples} calibration images collected`);
    return {
      groups: this.#geometry.groups,
      samples: this.#samples,
      positions: this.#positions,
      inputs: this.#inputs,
      targets: this.#targets,
    };
  }

  #places(): Int32Array {
    const [rows, columns] = this.#geometry.output;
    if (this.#positions === rows * columns) return Int32Array.from({ length: rows * columns }, (_, place) => place);
    return subset({ ...this.#noise, counter: this.#collected }, rows * columns, this.#positions);
  }

  #copyPatches(
    { values, shape: [, height, width, channels] }: FeatureMap,
    image: number,
    places: Int32Array,
    row: number,
  ) {
    const { kernel, groups, strides, dilations, padding, output } = this.#geometry;
    const inputs = (channels / groups) * kernel[0] * kernel[1];
    const allRows = this.#samples * this.#positions;
    const offset = image * height * width * channels;
    copyPatches(
      { values, offset, size: [height, width], channels, layout: "channels-last" },
      { kernel, stride: strides, dilation: dilations, before: [padding.top, padding.left] },
      { places, output },
      { values: this.#inputs, row: row * inputs, groupStride: allRows * inputs, groups },
    );
  }

  #copyOutputs({ values, shape: [, rows, columns, channels] }: FeatureMap, image: number, place: number, row: number) {
    const outputs = channels / this.#geometry.groups;
    const allRows = this.#samples * this.#positions;
    const from = (image * rows * columns + place) * channels;
    for (let channel = 0; channel < channels; channel++) {
      const group = Math.floor(channel / outputs);
      this.#targets[(group * allRows + row) * outputs + (channel - group * outputs)] = values[from + channel]!;
    }
  }
}
