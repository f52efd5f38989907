import { codeLimits, roundHalfEven, stepSize } from "../../quantization/grid.ts";
import type { FrozenNode, FrozenQuantizer } from "../frozen-network.ts";

/** The outermost codes, as the quantizer counts them: its zero is 0. */
export type Limits = readonly [lowest: number, highest: number];

/** The quantizer of 8 bits or less that alone reads a value, at most behind ReLU. */
export interface CodesBehind {
  readonly quantizer: FrozenQuantizer;
  /** Of the quantizer and the ReLU before it. */
  readonly limits: Limits;
  /** The nodes on the way, the quantizer among them. */
  readonly nodes: readonly FrozenNode[];
}

/** A quantizer whose codes fit int8. */
export const isShort = ({ bits }: Pick<FrozenQuantizer, "bits">): boolean => bits === 2 || bits === 4 || bits === 8;

/** The step of a quantizer in the file. */
export const scaleOf = (quantizer: Pick<FrozenQuantizer, "bits" | "signed" | "xMax">): number => {
  if (quantizer.bits === 32) throw new Error("float32 values have no step");
  return Math.fround(stepSize(quantizer.bits, quantizer));
};

/** The outermost codes of a quantizer. */
export const limitsOf = ({ bits, signed }: Pick<FrozenQuantizer, "bits" | "signed">): Limits => {
  if (bits === 32) throw new Error("float32 values have no codes");
  return codeLimits(bits, signed);
};

/**
 * Follows a value to its quantizer.
 *
 * @returns null where it has none, or one that is too wide for int8, or something else reads the value too.
 */
export function codesBehind(
  node: FrozenNode,
  output: string,
  readersOf: (id: string) => readonly FrozenNode[],
): CodesBehind | null {
  const nodes: FrozenNode[] = [];
  let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let { id } = node; id !== output; ) {
    const [reader, ...others] = readersOf(id);
    if (reader === undefined || others.length > 0) return null;
    nodes.push(reader);
    if (reader.kind === "quantizer" && isShort(reader)) {
      const step = scaleOf(reader);
      const [lowest, highest] = limitsOf(reader);
      // Rounding keeps the order of values: what a ReLU clips to is the code that its end rounds to.
      const limits = [
        Math.max(lowest, roundHalfEven(low / step)),
        Math.min(highest, roundHalfEven(high / step)),
      ] as const;
      return { quantizer: reader, limits, nodes };
    }
    if (reader.kind !== "relu") return null;
    low = Math.max(low, 0);
    high = Math.min(high, reader.limit ?? high);
    id = reader.id;
  }
  return null;
}
