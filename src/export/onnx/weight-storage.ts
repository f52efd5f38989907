import type { FrozenTensor, IntegerTensor } from "../frozen-network.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { Container } from "./integer-weight.ts";
import type { OrderedWeight } from "./layer-operators.ts";
import type { LeastBits } from "./stored-widths.ts";

/** A weight that fits 8 bits. */
export interface ShortTensor extends IntegerTensor {
  readonly bits: 2 | 3 | 4 | 8;
}

export const isShort = (weight: FrozenTensor): weight is ShortTensor => weight.bits <= 8;

/** A weight's learned codes as an integer operator is to read them: in 8 bits, each a whole multiple. */
export interface OperatorCodes {
  /** Of what is added to the graph. */
  readonly name: string;
  /** In the file's order. */
  readonly codes: Int32Array;
  readonly shape: readonly number[];
  /** That of the output channels. */
  readonly axis: 0 | 1;
  readonly bits: ShortTensor["bits"];
  /** As `IntegerTensor` has it. */
  readonly channelBits: ShortTensor["channelBits"];
  readonly container: Container;
  /** What the codes are to be multiplied by: one number, or one for each output channel, which is axis 0 then. */
  readonly multiples: number | Int32Array;
}

/** Codes of 8 bits in the graph. */
export interface StoredCodes {
  readonly codes: string;
  /** What stands for zero. */
  readonly zeroPoint: number;
}

/** How a form with integer kernels keeps its weights. */
export interface WeightStorage {
  /** What the file says of itself. */
  readonly doc: string;
  /** Whether one multiple for all output channels is tried before one for each: it takes fewer bytes. */
  readonly sharedMultiples: boolean;
  /** Whether dense layers of 8 bits or less compute in float32, in blocks of packed codes. */
  readonly blockDense: boolean;
  /** Least bits that a code takes. */
  readonly least: LeastBits;
  /** Adds codes for an integer operator. */
  codes(graph: GraphBuilder, codes: OperatorCodes): StoredCodes;
  /** Adds a weight for an operator on float32 values; gives the name of its float value. */
  floats(graph: GraphBuilder, ordered: OrderedWeight, weight: IntegerTensor): string;
}
