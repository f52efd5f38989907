import type { Saturation } from "../../config/sections/export-settings.ts";
import { at, first, last } from "../../core/elements.ts";
import type { IntegerTensor } from "../frozen-network.ts";
import type { Codes } from "./codes.ts";

/** Largest code of an 8-bit weight: the grid is symmetric. */
const LARGEST = 127;
/**
 * Largest sum of two products of codes and int8 weights. On x86 without VNNI, onnxruntime's kernels for uint8 and int8
 * add neighbouring products in 16 bits (vpmaddubsw), which saturate; those for uint8 weights, and those of depthwise
 * convolutions, do not (mlas/lib/x86_64/QgemmU8S8KernelAvx2.S, ConvSymKernelAvx2.S).
 */
export const LARGEST_PAIR = 2 ** 15 - 1;
/** Biases stay below this, so that adding them to a sum of products stays inside int32. */
export const LARGEST_BIAS = 2 ** 30;

/** What holds the codes of a weight: int8, or uint8 with the zero point 128. */
export type Container = "int8" | "uint8";

/** A weight in an 8-bit container with its bias on the grid of its products. */
export interface IntegerLayer {
  readonly container: Container;
  /** What the learned codes are multiplied by: one whole number, or one for each output channel. */
  readonly multiples: number | Int32Array;
  /** The step of the multiplied codes, or one for each output channel. */
  readonly scales: number | Float32Array;
  /** In steps of input scale · weight scale, per output channel. */
  readonly bias: Int32Array;
  /** What the integers stand for. */
  readonly biasValues: Float32Array;
  /** How far the bias that moved most has moved. */
  readonly largestShift: number;
  /** Whether a kernel that adds two products in 16 bits may saturate. */
  readonly saturates: boolean;
}

export interface IntegerLayerOptions {
  readonly weight: IntegerTensor;
  readonly bias: Float32Array;
  /** What the layer reads. */
  readonly input: Pick<Codes, "scale" | "highest">;
  readonly container: Container;
  /** Largest magnitude that the codes may be multiplied to; 127 if left out. */
  readonly largest?: number;
  /** Whether kernels may add the products of two weights of one output channel in 16 bits. */
  readonly pairs: boolean;
  /** Whether codes that fit int8 as they are, those of 8 bits, go there even where such a sum may saturate. */
  readonly saturation: Saturation;
  /** Whether all output channels get the same multiple. */
  readonly shared: boolean;
}

/**
 * Puts a weight of 2, 3, 4 or 8 bits into 8 and its bias into int32, whose step is input scale · weight scale. That
 * step is coarse where both are, so codes are multiplied by the whole number that fits the container and meets the bias
 * best, of each output channel or of all: a 2-bit code can be up to 127 8-bit codes, a 4-bit code 18. In int8, no two
 * products of an output channel, which may be neighbours, add up to more than 16 bits, unless `saturation` allows it.
 *
 * @returns null when a bias is too large for int32, or two weights for int8.
 */
export function integerLayer(options: IntegerLayerOptions): IntegerLayer | null {
  const { weight, container, shared, pairs, input } = options;
  const channels = shared ? sharingMultiple(options) : withOwnMultiples(options);
  if (channels === null) return null;
  return {
    container,
    multiples: shared ? first(channels).multiple : Int32Array.from(channels, ({ multiple }) => multiple),
    scales:
      shared && typeof weight.scale === "number"
        ? first(channels).scale
        : Float32Array.from(channels, ({ scale }) => scale),
    bias: Int32Array.from(channels, ({ code }) => code),
    biasValues: Float32Array.from(channels, ({ value }) => value),
    largestShift: Math.max(...channels.map(({ shift }) => shift)),
    saturates:
      container === "int8" && pairs && codesOf(options).some(({ pair }) => pair * input.highest > LARGEST_PAIR),
  };
}

/** An output channel with its codes multiplied. */
interface Channel {
  readonly multiple: number;
  readonly scale: number;
  /** Of the bias. */
  readonly code: number;
  readonly value: number;
  readonly shift: number;
}

/** The channels with the multiple, of those that fit all, that moves the farthest bias least. */
function sharingMultiple(options: IntegerLayerOptions): readonly Channel[] | null {
  let best: readonly Channel[] | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let multiple = Math.min(...largestMultiples(options)); multiple >= 1; multiple--) {
    const channels = Array.from(options.bias, (_, output) => channelOf(options, output, multiple));
    const shift = Math.max(...channels.map((channel) => channel?.shift ?? Number.POSITIVE_INFINITY));
    if (shift >= least) continue;
    least = shift;
    best = channels.filter((channel) => channel !== null);
  }
  return best;
}

/** Each channel with the multiple that moves its bias least. */
function withOwnMultiples(options: IntegerLayerOptions): readonly Channel[] | null {
  const channels: Channel[] = [];
  for (const [output, largest] of largestMultiples(options).entries()) {
    let best: Channel | null = null;
    for (let multiple = largest; multiple >= 1; multiple--) {
      const channel = channelOf(options, output, multiple);
      if (channel !== null && channel.shift < (best?.shift ?? Number.POSITIVE_INFINITY)) best = channel;
    }
    if (best === null) return null;
    channels.push(best);
  }
  return channels;
}

/** Null when the bias is too large for int32. */
function channelOf({ weight, bias, input }: IntegerLayerOptions, output: number, multiple: number): Channel | null {
  const step = typeof weight.scale === "number" ? weight.scale : at(weight.scale, output);
  const wanted = at(bias, output);
  const scale = Math.fround(step / multiple);
  const biasStep = Math.fround(input.scale * scale);
  const code = Math.round(wanted / biasStep);
  if (!(Math.abs(code) <= LARGEST_BIAS)) return null;
  return { multiple, scale, code, value: code * biasStep, shift: Math.abs(code * biasStep - wanted) };
}

/** By output channel; 0 where not even the learned codes fit. */
function largestMultiples(options: IntegerLayerOptions): readonly number[] {
  const { input, container, largest = LARGEST, pairs, saturation } = options;
  return codesOf(options).map(({ single, pair }) => {
    const fits = Math.floor(largest / single);
    if (container === "uint8" || !pairs) return fits;
    const exact = Math.floor(LARGEST_PAIR / (input.highest * pair));
    return Math.min(fits, saturation === "allow" ? Math.max(1, exact) : exact);
  });
}

function codesOf({ weight }: IntegerLayerOptions): ReturnType<typeof largestCodes> {
  const outputs = last(weight.shape);
  return largestCodes(weight.codes, outputs, (index) => index % outputs);
}

/**
 * By output channel, the largest magnitude of a code, at least 1, and of the sum of two codes of one sign.
 *
 * @param outputOf The output channel of the code at an index.
 */
export function largestCodes(
  codes: Int32Array,
  outputs: number,
  outputOf: (index: number) => number,
): readonly { readonly single: number; readonly pair: number }[] {
  const ends = Array.from({ length: outputs }, () => ({ highest: 0, high: 0, low: 0, lowest: 0 }));
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index]!;
    const end = at(ends, outputOf(index));
    if (code > end.highest) [end.highest, end.high] = [code, end.highest];
    else if (code > end.high) end.high = code;
    if (code < end.lowest) [end.lowest, end.low] = [code, end.lowest];
    else if (code < end.low) end.low = code;
  }
  return ends.map(({ highest, high, low, lowest }) => ({
    single: Math.max(1, highest, -lowest),
    pair: Math.max(1, highest + high, -lowest - low),
  }));
}
