import type { NodeId } from "../graph/graph.ts";
import type { Network } from "../kinds/index.ts";
import type { InitialValues } from "../network/initial-values.ts";
import type { BitWidth, GridBits, IntegerWidth } from "../quantization/levels.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";
import type { PlannedCodebook } from "./layerwise/codebook-plan.ts";
import type { SolveLayer } from "./layerwise/layer-problem.ts";
import type { SolveProduct } from "./layerwise/product-quantization.ts";

/** What multiplies the complexity of the gates in the loss: mu. */
export interface Prior {
  readonly strength: number;
  /** A budget that mu is steered to, from that strength; null: mu stays. */
  readonly target: Target | null;
}

/** What a run must come to: percent of the 32-bit network's bit operations, or bytes of its weights. */
export type Target = { readonly relativeBops: number } | { readonly sizeBytes: number };

/** A network with its weights and ranges, as a method finds it that chooses by measuring. */
export interface Situation {
  readonly network: Network;
  readonly quantizers: ReadonlyMap<NodeId, Quantizer>;
  /** The task's loss on the held-out share of the training images, with the quantizers as they stand. */
  measure(): number | Promise<number>;
}

/** How bit-widths come about: what a method makes of a network, and what there is to learn. */
export interface Method {
  /** The network as it trains, with the method's quantizers. */
  prepare(network: Network): Network;
  /** The quantizers of a network that `prepare` has made, with their gates at the start. */
  quantizers(network: Network): Map<NodeId, Quantizer>;
  /**
   * What the method decides once weights and first ranges stand, before training; it changes the quantizers in place.
   */
  choose?(situation: Situation): Promise<unknown>;
  readonly prior: Prior;
  /** Whether weights and batch normalizations learn; false: only gates and ranges do. */
  readonly trainsWeights: boolean;
  /** What is searched for once weights and first ranges stand, before quantizers train. */
  readonly search?: WidthSearch;
  /** What makes weights codes into codebooks before they train: of all that learns, these alone. */
  readonly clustering?: Clustering;
  /** What takes the place of training where a trained network is quantized layer by layer. */
  readonly layerwise?: Layerwise;
}

/** A search for bit-widths: policies are measured on held-out images, with weights rounded and nothing trained. */
export interface WidthSearch {
  /** Weights of one width each, or kernels. */
  readonly level: "layer" | "kernel";
  /** Kernels of a layer are decided in so many groups; null: each alone; undefined: in a moderate number of them. */
  readonly groups: number | null | undefined;
  /** Rising; 0: a kernel is pruned. */
  readonly weightWidths: readonly number[];
  /** Rising. */
  readonly activationWidths: readonly BitWidth[];
  /** Policies that are measured, and those of them before anything is learned. */
  readonly episodes: number;
  readonly warmup: number;
  /** Held-out images that they are measured on, at most. */
  readonly images: number;
  readonly objective: SearchObjective;
  /** What a policy costs, and where the objective is a budget what it may. */
  readonly target: Target;
  /** As the network's quantizers have it. */
  readonly quantizeAddends: boolean;
}

/** What a search is for. */
export type SearchObjective =
  | { readonly name: "resource-constrained" }
  | {
      readonly name: "accuracy-guaranteed";
      /** Powers of the score and of the cost. */
      readonly scorePower: number;
      readonly costPower: number;
    };

/** What a layer sees while it is quantized (configuration: method.calibration.inputs). */
export type CalibrationInputs = "float" | "quantized-weights" | "quantized";

/** What takes memory while a layer is solved, beside its calibration rows and weights. */
export interface SolverNeeds {
  /** Images of a learned rounding's step, whose rows are gathered, with products of their own; 0: nothing is learned. */
  readonly batch: number;
  /** Whether X^T X is summed (`Gram`). */
  readonly sums: boolean;
  /** Whether codes are flipped (`flipCodes`): on the sums, or on a transposed copy of the rows where a ReLU follows. */
  readonly flips: boolean;
}

/** Bit-widths by quantizer: of the tensor, or of each output channel of a weight. */
export type GivenWidths = ReadonlyMap<NodeId, GridBits | readonly IntegerWidth[]>;

/** How a method quantizes a trained network layer by layer, from a few unlabeled images. */
export interface Layerwise {
  /** A network as this method takes it, in float32: what is deployed, batch normalization in weights and biases. */
  deploy(network: Network): Network;
  /** The values of that network's parameters. */
  deployValues(network: Network, values: InitialValues): InitialValues;
  /**
   * The bit-width of every quantizer; of a weight, or of each of its output channels.
   *
   * @throws UsageError where names or widths do not fit; UserError where the run cannot be read that they come from.
   */
  bits(network: Network): GivenWidths;
  /** What solves a layer whose weight gets so many bits. */
  solver(bits: Exclude<GridBits, 32>): SolveLayer;
  readonly needs: SolverNeeds;
  readonly calibration: {
    readonly images: number;
    /** Of each image. */
    readonly positions: number;
    readonly inputs: CalibrationInputs;
  };
  /** How ranges of activations are set. */
  readonly ranges: "max" | "mse";
  readonly biasCorrection: boolean;
}

/** How a method makes a trained network's weights codes into codebooks, layer by layer, before these train. */
export interface Clustering {
  /**
   * The codebook of every layer that gets one, by its name.
   *
   * @throws UsageError where settings do not fit the network.
   */
  codebooks(network: Network): ReadonlyMap<string, PlannedCodebook>;
  readonly solve: SolveProduct;
  /** Whether the mean outputs of a layer are set right, in its normalization or bias. */
  readonly biasCorrection: boolean;
  /** What layers are looked at on: images, and places of each; null: on nothing. */
  readonly calibration: { readonly images: number; readonly positions: number } | null;
  /** How a layer's codebook learns as soon as it is clustered. */
  readonly finetune: {
    readonly steps: number;
    readonly learningRate: number;
    readonly momentum: number;
    readonly weightDecay: number;
  };
}

/** Nothing of the gates is in the loss. */
export const noPrior: Prior = { strength: 0, target: null };

/** The network in float32 that a method's quantizers go into. */
export const plainOf = ({ layerwise }: Pick<Method, "layerwise">, network: Network): Network =>
  layerwise?.deploy(network) ?? network;
