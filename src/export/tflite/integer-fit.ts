import type { FrozenLayer, IntegerTensor } from "../frozen-network.ts";
import { type IntegerLayer, integerLayer } from "../onnx/integer-weight.ts";
import type { TfliteCodes } from "./tflite-file.ts";

/** Largest share of an output step by which rounding to int32 may move a bias. */
const LARGEST_SHIFT = 1 / 32;

/**
 * Longest step of fine sums, in output steps. The kernels of microcontrollers multiply a sum by m·2^n < 1 in 32 bits,
 * round, shift to the right by n bits and round again: of 2^(n+1) sums one gets the code beside its own. Here n ≥ 9.
 */
const FINE = 2 ** -10;

/** Longest step of sums with each type of weight, in output steps: 4 bits leave less room to multiply codes. */
const COARSEST: { readonly [T in WeightType]: number } = { INT4: 2 ** -7, INT8: Number.POSITIVE_INFINITY };

/** Codes and zero point that int8 holds lie this far apart. */
const SPAN = 255;
/** XNNPACK multiplies codes by less than 2^7. */
const LARGEST_MULTIPLE = 127;

/** What holds an element of a weight. */
export type WeightType = "INT4" | "INT8";

const LARGEST: { readonly [T in WeightType]: number } = { INT4: 7, INT8: 127 };

/** A layer in integers. */
export interface IntegerFit {
  readonly type: WeightType;
  /** What the codes that it reads are multiplied by. */
  readonly multiple: number;
  readonly integer: IntegerLayer;
}

interface FitOptions {
  readonly layer: FrozenLayer;
  readonly weight: IntegerTensor;
  /** What the layer reads. */
  readonly codes: TfliteCodes;
  /** Of what reads the layer. */
  readonly step: number;
  /** Whether kernels read its weight at 4 bits. */
  readonly packable: boolean;
}

/**
 * How a layer computes in integers: with 4 bits a weight where its sums are fine enough for that, otherwise with 8; on the
 * codes as they are, where its sums are fine, otherwise on multiples of them, which make sums as fine as can be.
 *
 * @returns null when its bias does not fit the grid of its sums.
 */
export function integerFit({ layer, weight, codes, step, packable }: FitOptions): IntegerFit | null {
  const types: readonly WeightType[] = packable ? ["INT4", "INT8"] : ["INT8"];
  for (const type of types) {
    const found = multiplesOf(codes).flatMap((multiple) => {
      const scale = Math.fround(codes.scale / multiple);
      const integer = integerLayer({
        ...{ weight, bias: layer.bias, input: { scale, highest: SPAN } },
        ...{ container: "int8", largest: LARGEST[type], pairs: false, saturation: "avoid", shared: false },
      });
      if (integer === null || integer.largestShift > LARGEST_SHIFT * step) return [];
      const longest = (scale * Math.max(...scalesOf(integer))) / step;
      return longest <= COARSEST[type] ? [{ type, multiple, integer, fine: longest <= FINE }] : [];
    });
    const best = found.find(({ fine }) => fine) ?? found.at(-1);
    if (best !== undefined) return best;
  }
  return null;
}

const scalesOf = ({ scales }: IntegerLayer): readonly number[] => (typeof scales === "number" ? [scales] : [...scales]);

/** What codes may be multiplied by: nothing, or as much as int8 holds. */
function multiplesOf({ limits: [lowest, highest] }: TfliteCodes): readonly number[] {
  const largest = Math.min(LARGEST_MULTIPLE, Math.floor(SPAN / Math.max(1, highest - lowest)));
  return largest > 1 ? [1, largest] : [1];
}
