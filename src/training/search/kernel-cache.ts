import { lookup } from "../../core/lookup.ts";
import type { Layer } from "../../network/layers.ts";
import { matrixOf, weightOf } from "../../network/weight-matrix.ts";
import { type QuantizedKernel, quantizeKernel } from "../../quantization/kernel-quantizer.ts";
import { rowOf, type WeightMatrix } from "../../quantization/weight-grid.ts";

/** A layer's kernels at every width that was asked for: each is quantized once. */
export class KernelCache {
  readonly #layer: Layer;
  readonly #matrix: WeightMatrix;
  /** By width, then by output channel. */
  readonly #quantized = new Map<number, Map<number, QuantizedKernel>>();

  /** @param weight The graph's tensor. */
  constructor(layer: Layer, weight: Float32Array) {
    this.#layer = layer;
    this.#matrix = matrixOf(layer, weight);
  }

  /** One output channel in so many bits. */
  kernel(output: number, bits: number): QuantizedKernel {
    const { values, inputs } = this.#matrix;
    if (!this.#quantized.has(bits)) this.#quantized.set(bits, new Map());
    const known = lookup(this.#quantized, bits);
    const quantized = known.get(output) ?? quantizeKernel(rowOf(values, output, inputs), bits);
    known.set(output, quantized);
    return quantized;
  }

  /** The graph's tensor with these bits of each output channel. */
  weight(bits: Uint8Array): Float32Array {
    const { values, inputs } = this.#matrix;
    const matrix = new Float32Array(values.length);
    for (const [output, width] of bits.entries()) matrix.set(this.kernel(output, width).values, output * inputs);
    return weightOf(this.#layer, matrix);
  }
}
