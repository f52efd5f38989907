import { at } from "../../core/elements.ts";
import { type QuantizedKernel, quantizeKernel } from "../../quantization/kernel-quantizer.ts";

/** A layer's kernels at every width that was asked for: each is quantized once. */
export class KernelCache {
  readonly #kernels: readonly Float32Array[];
  readonly #quantized = new Map<number, (QuantizedKernel | undefined)[]>();

  /** @param weight The graph's tensor, whose last axis are the outputs. */
  constructor(weight: Float32Array, outputs: number) {
    const taps = weight.length / outputs;
    this.#kernels = Array.from({ length: outputs }, (_, output) =>
      Float32Array.from({ length: taps }, (_, tap) => weight[tap * outputs + output]!),
    );
  }

  /** One output channel in so many bits. */
  kernel(output: number, bits: number): QuantizedKernel {
    const atWidth = this.#quantized.get(bits) ?? [];
    this.#quantized.set(bits, atWidth);
    const known = atWidth[output];
    if (known !== undefined) return known;
    const quantized = quantizeKernel(at(this.#kernels, output), bits);
    atWidth[output] = quantized;
    return quantized;
  }

  /** The graph's tensor with these bits of each output channel. */
  weight(bits: Uint8Array): Float32Array {
    const outputs = bits.length;
    const weight = new Float32Array(outputs * (this.#kernels[0]?.length ?? 0));
    for (let output = 0; output < outputs; output++) {
      const { values } = this.kernel(output, bits[output]!);
      for (let tap = 0; tap < values.length; tap++) weight[tap * outputs + output] = values[tap]!;
    }
    return weight;
  }
}
