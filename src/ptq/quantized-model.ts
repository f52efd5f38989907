import type { FileMethod } from "../config/sections/methods/layerwise-settings.ts";
import type { EncodedModel } from "../onnx/encode-model.ts";
import type { CodebookShape } from "../quantization/product/codebook-size.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import type { Costs } from "./costly-layers.ts";
import type { LeftNode } from "./find-sites.ts";
import type { LayerNoise } from "./layer-noise.ts";
import type { Calibration } from "./open-weights.ts";
import type { ModelPlan } from "./plan-model.ts";
import type { QuantizedBits } from "./quantized-bits.ts";
import type { Granularity } from "./weight-site.ts";

/** What became of a weight. */
export interface QuantizedLayer {
  readonly name: string;
  readonly operator: string;
  readonly shape: readonly number[];
  /** Of each number, on average. */
  readonly bits: number;
  /** Of each output channel, a digit each, where they have widths of their own. */
  readonly channelBits?: string;
  /** Where it is codes into a codebook. */
  readonly codebook?: CodebookShape;
  readonly granularity: Granularity;
  /** What found its codes. */
  readonly method: FileMethod;
  /** Whether it computes in integers of 8 bits. */
  readonly integer: boolean;
  /** Of its packed codes, and of the order of their rows where they have widths of their own; of codes and codebook. */
  readonly bytes: number;
}

export interface QuantizedModel {
  readonly encoded: EncodedModel;
  /** The content of `bits.json`. */
  readonly bits: QuantizedBits;
  readonly layers: readonly QuantizedLayer[];
  readonly left: readonly LeftNode[];
  readonly grids: ReadonlyMap<string, ActivationGrid>;
  /** How the budget was met; null: there was none. */
  readonly plan: ModelPlan | null;
  /** Measures which weights cost the outputs most. */
  readonly costs: (calibration: Calibration) => Promise<Costs>;
  /** Measures how far each layer's output is from the float file's, in the order of `layers`. */
  readonly noises: (calibration: Calibration) => Promise<readonly LayerNoise[]>;
  /** What the user should know of it. */
  readonly notes: readonly string[];
}
