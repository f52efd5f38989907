import { first } from "../../core/elements.ts";
import { addColumn, type ChannelSums, imageOf } from "../channel-sums.ts";
import { type Planes, pointShift, stitch } from "./digits.ts";

export interface DigitState {
  readonly planes: Planes;
  /** weight = alpha·Σ_i plane_i/2^i. */
  readonly alpha: number;
  /** products·plane of each plane, where they are known. */
  readonly images?: readonly Float64Array[];
}

export interface DescentResult extends Required<DigitState> {
  /** Epochs run, the last one without a change included. */
  readonly epochs: number;
  /** |y - X·w|² of what is returned. */
  readonly error: number;
}

/**
 * Stage 2 of Bit-Split (Wang et al. 2020; `ofwa_rr` of the authors' code): minimizes |y - X·alpha·Σ_i p_i/2^i|² over the
 * digits, one at a time. An epoch takes the least-squares alpha, then each plane, most significant first, and in it each
 * input in order: its digit's exact minimizer over {-1, 0, 1}. With products = identity and cross = w it is the descent
 * on the weights alone (`ofwa`).
 *
 * Returned are the digits after the last epoch with the alpha from its beginning; they are at rest when an epoch changes
 * nothing, which ends the descent. A channel whose alpha turns negative has its digits negated; one whose output is dead
 * keeps its alpha.
 */
export function descendDigits(sums: ChannelSums, start: DigitState, { epochs }: { epochs: number }): DescentResult {
  const descent = new Descent(sums, start);
  let epoch = 0;
  while (epoch < epochs) {
    epoch++;
    descent.fitScale();
    let changes = 0;
    for (let plane = 0; plane < start.planes.length; plane++) changes += descent.sweep(plane);
    if (changes === 0) break;
  }
  const { planes, alpha, images } = descent;
  return { planes, alpha, images, epochs: epoch, error: descent.error() };
}

class Descent {
  readonly planes: readonly Int8Array[];
  alpha: number;
  readonly #sums: ChannelSums;
  readonly #inputs: number;
  /** Kept up to date digit by digit. */
  readonly images: readonly Float64Array[];
  /** Sums over the planes, for {@link #moments}. */
  readonly #weights: Float64Array;
  readonly #image: Float64Array;

  constructor(sums: ChannelSums, { planes, alpha, images }: DigitState) {
    this.#sums = sums;
    this.#inputs = sums.cross.length;
    this.planes = planes.map((plane) => plane.slice());
    this.alpha = alpha;
    this.images = planes.map((plane, index) => images?.[index]?.slice() ?? imageOf(sums.products, plane));
    this.#weights = new Float64Array(this.#inputs);
    this.#image = new Float64Array(this.#inputs);
  }

  /** alpha = <y, X s>/<X s, X s> with s = Σ_i p_i/2^i. */
  fitScale(): void {
    const { fit, square } = this.#moments();
    if (!(square > 0) || fit === 0) return;
    this.alpha = fit / square;
    if (this.alpha > 0) return;
    // The digits' rule holds for a positive scale.
    this.alpha = -this.alpha;
    for (const plane of this.planes) for (let n = 0; n < plane.length; n++) plane[n] = -plane[n]!;
    for (const image of this.images) for (let n = 0; n < image.length; n++) image[n] = -image[n]!;
  }

  /** One pass over the digits of a plane; gives how many changed. */
  sweep(plane: number): number {
    const { products, cross } = this.#sums;
    const digits = this.planes[plane]!;
    const image = this.images[plane]!;
    const scale = this.alpha / 2 ** plane;
    // What is left for this plane: the others do not change meanwhile.
    const targets = cross.slice();
    for (const [other, fixed] of this.images.entries()) {
      if (other === plane) continue;
      const factor = this.alpha / 2 ** other;
      for (let n = 0; n < targets.length; n++) targets[n]! -= factor * fixed[n]!;
    }
    let changes = 0;
    for (let n = 0; n < digits.length; n++) {
      const held = digits[n]!;
      const diagonal = products[n * this.#inputs + n]!;
      const target = targets[n]!;
      // Cost of digit d: scale²·diagonal·d² + scale·lump·d + const.
      const lump = 2 * (scale * (image[n]! - diagonal * held) - target);
      const digit = Math.abs(lump) < scale * diagonal ? 0 : -Math.sign(lump);
      if (digit === held) continue;
      digits[n] = digit;
      changes++;
      addColumn(image, products, n, digit - held);
    }
    return changes;
  }

  error(): number {
    const { fit, square } = this.#moments();
    return this.#sums.energy - 2 * this.alpha * fit + this.alpha * this.alpha * square;
  }

  /** fit = s·cross and square = s·products·s. */
  #moments(): { fit: number; square: number } {
    const { cross } = this.#sums;
    const weights = this.#weights.fill(0);
    const image = this.#image.fill(0);
    for (const [plane, digits] of this.planes.entries()) {
      const ofPlane = this.images[plane]!;
      const share = 1 / 2 ** plane;
      for (let n = 0; n < digits.length; n++) {
        weights[n]! += share * digits[n]!;
        image[n]! += share * ofPlane[n]!;
      }
    }
    let fit = 0;
    let square = 0;
    for (let n = 0; n < weights.length; n++) {
      fit += weights[n]! * cross[n]!;
      square += weights[n]! * image[n]!;
    }
    return { fit, square };
  }
}

/** The ordinary form: integer codes, their step, and products·codes. */
export function stitched({ planes, alpha, images }: Omit<DescentResult, "epochs" | "error">): {
  readonly codes: Int32Array;
  readonly step: number;
  readonly image: Float64Array;
} {
  const image = new Float64Array(first(images).length);
  for (const ofPlane of images) for (let n = 0; n < image.length; n++) image[n] = 2 * image[n]! + ofPlane[n]!;
  return { codes: stitch(planes), step: alpha / pointShift(planes.length + 1), image };
}
