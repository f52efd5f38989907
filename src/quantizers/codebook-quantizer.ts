import { at, last } from "../core/elements.ts";
import { floatToHalf, halfToFloat } from "../core/half-precision.ts";
import type { Layer } from "../network/layers.ts";
import { weightOf } from "../network/weight-matrix.ts";
import { countsOf, meansAt, type ProductCodes, placesOf } from "../quantization/product/blocks.ts";
import { Quantizer, type QuantizerParts } from "./abstract-quantizer.ts";
import { type GateSample, untouched } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";

/**
 * The quantizer of a weight whose blocks are entries of a codebook: what passes see in the weight's place is decoded from
 * it, and the codebook learns (Stock et al. 2020). Passes see centroids as files hold them, in float16; what learns is
 * kept in float64. The parameter behind it keeps the float weight.
 */
export class CodebookQuantizer extends Quantizer {
  readonly learned: readonly LearnedNumbers[];
  readonly #layer: Layer;
  readonly #codebook: ProductCodes;
  /** Which number of the codebook each element of the weight is, in its order. */
  readonly #places: Uint32Array;

  /** @param learns Whether the codebook learns; its codes never change. */
  constructor(
    parts: QuantizerParts,
    codebook: ProductCodes,
    { layer, learns = true }: { layer: Layer; learns?: boolean },
  ) {
    super(parts);
    this.#layer = layer;
    this.#codebook = codebook;
    const outputs = last(layer.weightShape);
    const inputs = (codebook.codes.length * codebook.blockSize) / outputs;
    this.#places = weightOf(layer, placesOf(codebook, { outputs, inputs }));
    this.learned = learns ? [learnedCodebook(codebook, this.#places)] : [];
  }

  /** The same, with a codebook that rests. */
  get resting(): CodebookQuantizer {
    return new CodebookQuantizer(this, this.#codebook, { layer: this.#layer, learns: false });
  }

  override get codebook(): ProductCodes {
    return this.#codebook;
  }

  sample(): GateSample {
    return this.atTestTime();
  }

  override atTestTime(): GateSample {
    return { ...untouched, parameters: { ...untouched.parameters, decoded: this.frozen.values } };
  }

  /** The weight as files hold it, its centroids in float16, and its values in the weight's order. */
  get frozen() {
    const { blockSize, codes, codebook } = this.#codebook;
    const centroids = Float32Array.from(codebook, (value) => halfToFloat(floatToHalf(value)));
    return { blockSize, codes, centroids, values: Float32Array.from(this.#places, (place) => at(centroids, place)) };
  }

  withFixedGates(): this {
    return this;
  }

  override get stored(): ReadonlyMap<string, Float64Array | Float32Array> {
    const { blockSize, codes, codebook } = this.#codebook;
    return new Map([
      ...super.stored,
      ["codebook/block", Float64Array.of(blockSize)],
      ["codebook/codes", Float32Array.from(codes)],
      ["codebook/centroids", codebook],
    ]);
  }
}

/** A centroid's gradient is the mean over its blocks, as the authors have it, not the sum that the chain rule gives. */
function learnedCodebook({ blockSize, codes, codebook }: ProductCodes, places: Uint32Array): LearnedNumbers {
  const counts = countsOf(codes, codebook.length / blockSize);
  return {
    name: "codebook",
    group: "weights",
    values: codebook,
    gradient: ({ sums: { decoded } }) =>
      decoded === undefined ? new Float64Array(codebook.length) : meansAt(places, decoded, { blockSize, counts }),
    hold: () => false,
  };
}
