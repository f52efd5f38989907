import { subset } from "../core/random.ts";
import { elementsOf } from "../graph/shape.ts";
import { copyPatches } from "../methods/layerwise/patches.ts";
import type { RunSize } from "./samples.ts";
import { patchLayout } from "./site-patches.ts";
import type { WeightSite } from "./weight-site.ts";

export interface RowChoice {
  /** Most rows of each sample. */
  readonly positions: number;
  readonly seed: number;
}

/** What a site saw, [groups, samples · positions, inputs]. */
export interface SeenRows {
  readonly samples: number;
  readonly positions: number;
  readonly inputs: Float32Array;
}

/**
 * Gathers, run by run, what a linear site sees at random places. Two of one site and seed choose the same places as long
 * as they are shown tensors of the same sizes.
 */
export class SiteRows {
  readonly #site: WeightSite;
  readonly #inputs: number;
  readonly #choice: RowChoice;
  /** Of each run, [groups, rows, inputs]. */
  readonly #chunks: { readonly rows: number; readonly values: Float32Array }[] = [];
  #fewest = Number.POSITIVE_INFINITY;
  #parts = 0;

  constructor(site: WeightSite, choice: RowChoice) {
    const { dims, axis } = site.layout;
    this.#site = site;
    this.#inputs = elementsOf(dims) / (dims[axis] ?? 1);
    this.#choice = choice;
  }

  /**
   * Adds what a run gave.
   * Where its samples are not told apart by the first axis, the run is taken as a whole.
   */
  add(
    { dims, values }: { readonly dims: readonly number[]; readonly values: Float32Array },
    { count, batch }: RunSize,
  ): void {
    const layout = patchLayout(this.#site, dims);
    const { images, output, size, channels } = layout;
    const { groups } = this.#site.layout;
    const told = images % batch === 0;
    const parts = told ? count : 1;
    const perPart = told ? images / batch : images;
    const places = elementsOf(output);
    const most = this.#choice.positions * (told ? 1 : count);
    /** Places of each image that has some, the images and their places in the order of the parts. */
    const chosen: { readonly image: number; readonly places: number[] }[] = [];
    for (let part = 0; part < parts; part++) {
      for (const index of this.#places(perPart * places, most)) {
        const image = part * perPart + Math.floor(index / places);
        const last = chosen.at(-1);
        if (last?.image === image) last.places.push(index % places);
        else chosen.push({ image, places: [index % places] });
      }
    }
    const rows = chosen.reduce((sum, { places }) => sum + places.length, 0);
    if (rows === 0) return;
    this.#fewest = Math.min(this.#fewest, rows / parts);
    const chunk = new Float32Array(groups * rows * this.#inputs);
    const imageSize = elementsOf(size) * channels;
    let row = 0;
    for (const { image, places } of chosen) {
      const into = { values: chunk, row: row * this.#inputs, groupStride: rows * this.#inputs, groups };
      copyPatches({ ...layout, values, offset: image * imageSize }, layout, { places, output }, into);
      row += places.length;
    }
    this.#chunks.push({ rows, values: chunk });
  }

  /** What was gathered; null: nothing. */
  rows(): SeenRows | null {
    const all = this.#chunks.reduce((sum, { rows }) => sum + rows, 0);
    if (all === 0) return null;
    const positions = Math.max(1, Math.floor(this.#fewest));
    const samples = Math.floor(all / positions);
    const kept = samples * positions;
    const { groups } = this.#site.layout;
    const inputs = new Float32Array(groups * kept * this.#inputs);
    for (let group = 0; group < groups; group++) {
      let row = 0;
      for (const { rows, values } of this.#chunks) {
        const taken = Math.min(rows, kept - row);
        const from = group * rows * this.#inputs;
        inputs.set(values.subarray(from, from + taken * this.#inputs), (group * kept + row) * this.#inputs);
        row += taken;
      }
    }
    return { samples, positions, inputs };
  }

  #places(all: number, most: number): number[] {
    const counter = this.#parts++;
    if (all <= most) return Array.from({ length: all }, (_, place) => place);
    return [...subset({ seed: this.#choice.seed, stream: `${this.#site.name}.positions`, counter }, all, most)];
  }
}
