import type { Stepwise } from "../../core/stepwise.ts";
import type { Ops } from "../../engine/ops.ts";
import type { GridBits } from "../../quantization/levels.ts";
import type { WeightMatrix } from "../../quantization/weight-grid.ts";

/**
 * What a layer saw and should have given, at sampled output positions of the calibration images. A dense layer is a
 * convolution over one position; a grouped convolution has a block of rows for each group.
 */
export interface CalibrationRows {
  readonly groups: number;
  /** Calibration images. */
  readonly samples: number;
  /** Output positions of each image. */
  readonly positions: number;
  /** Patches, [groups, samples·positions, inputs], from the float or the already quantized network. */
  readonly inputs: Float32Array;
  /**
   * Outputs of the float layer in the float network, before the activation, bias included, [groups, samples·positions,
   * outputs of a group].
   */
  readonly targets: Float32Array;
}

/**
 * How many different patches a layer saw, of the group that saw fewest; counting ends at `atMost`. As many rows that
 * are the same say no more than one of them.
 */
export function distinctRows({ groups, samples, positions, inputs }: CalibrationRows, atMost: number): number {
  const count = samples * positions;
  const length = inputs.length / (groups * count);
  const words = new Uint32Array(inputs.buffer, inputs.byteOffset, inputs.length);
  let fewest = atMost;
  for (let group = 0; group < groups; group++) {
    const seen = new Set<number>();
    for (let row = group * count; row < (group + 1) * count && seen.size < fewest; row++) {
      // FNV-1a over words; two that fall together are counted as one.
      let hash = 0x811c9dc5;
      for (let at = row * length; at < (row + 1) * length; at++) hash = Math.imul(hash ^ words[at]!, 0x01000193);
      seen.add(hash);
    }
    fewest = Math.min(fewest, seen.size);
  }
  return fewest;
}

/** One layer to quantize: convolution (grouped and depthwise too) or dense, batch normalization folded in. */
export interface LayerProblem {
  readonly name: string;
  /** Output channel first; the outputs of a group follow each other. */
  readonly weight: WeightMatrix;
  /** [outputs]; stays in float32. */
  readonly bias: Float32Array | null;
  readonly bits: Exclude<GridBits, 32>;
  /** Whether a ReLU follows directly: the method may then ask for less. */
  readonly rectified: boolean;
  /** Where that ReLU ends, 6 for ReLU6; null: nowhere. */
  readonly limit: number | null;
  readonly rows: CalibrationRows;
}

/** A problem for whatever bits. */
export type UnsizedProblem = Omit<LayerProblem, "bits" | "name">;

/** A layer's weights on their grids; decoded they are steps[output]·code in float32. */
export interface LayerSolution {
  /** [outputs, inputs] */
  readonly codes: Int32Array;
  /** [outputs], float32 values. */
  readonly steps: Float32Array;
  readonly statistics: LayerStatistics;
}

/** Errors are the mean over rows of Σ over output channels of (y_q - y)², as the method measures them. */
export interface LayerStatistics {
  /** Error of rounding to nearest. */
  readonly nearestError: number;
  readonly error: number;
  /** Share of weights whose code is not the nearest one on the final step. */
  readonly flipped: number;
  /** Share of h(V) within 1e-3 of 0 or 1 at the end; null for methods without. */
  readonly settled: number | null;
  /** Optimizer steps, or most epochs of any channel. */
  readonly iterations: number;
}

/** A method, with its options bound: what a layer-by-layer driver calls for each layer in turn. */
export type SolveLayer = (problem: LayerProblem, ops: Ops) => Stepwise<LayerSolution>;
