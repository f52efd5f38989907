import { gatedWidths } from "./levels.ts";

// The telescoped quantizer x_q = z_2·Σ_b w_b·X_b, where X_b is plain b-bit quantization (docs/method.md, "Quantizer"):
// w_2 = 1-z_4, w_4 = z_4(1-z_8) … w_32 = z_4 z_8 z_16 z_32. Tensors may have gates of their own for each of several groups
// of channels. Then all numbers of a level stand together, one for each group: [levels, groups].

const GATES = gatedWidths.length;

/**
 * The weights w_2 … w_32, [5, groups]. They are not negative and sum to 1; gates at 0 or 1 leave a single one, which is 1.
 *
 * @param gates Values of z_4, z_8, z_16, z_32, [4, groups].
 */
export function telescope(gates: Float64Array): Float64Array {
  const groups = gates.length / GATES;
  const weights = new Float64Array(gates.length + groups);
  // What of a group has come past its gates so far; after the last of them it is w_32.
  const reached = weights.subarray(gates.length).fill(1);
  for (let level = 0, index = 0; level < GATES; level++) {
    for (let group = 0; group < groups; group++, index++) {
      weights[index] = reached[group]! * (1 - gates[index]!);
      reached[group]! *= gates[index]!;
    }
  }
  return weights;
}

/**
 * The gradient by each gate, [4, groups]: the gates before it, times what comes after it less its own level.
 *
 * @param byWeight The gradient by each weight, <g, X_b>, [5, groups]; unread where no gate moves the weight.
 */
export function telescopeGradient(gates: Float64Array, byWeight: Float64Array): Float64Array {
  const groups = gates.length / GATES;
  const gradient = new Float64Array(gates.length);
  // Of what comes after a gate, the gradient by all of it.
  const after = byWeight.slice(gates.length);
  for (let index = gates.length - 1, level = GATES; level > 0; level--) {
    for (let group = groups - 1; group >= 0; group--, index--) {
      const gate = gates[index]!;
      gradient[index] = after[group]! - byWeight[index]!;
      after[group] = (1 - gate) * byWeight[index]! + gate * after[group]!;
    }
  }
  const reached = after.fill(1);
  for (let level = 0, index = 0; level < GATES; level++) {
    for (let group = 0; group < groups; group++, index++) {
      gradient[index]! *= reached[group]!;
      reached[group]! *= gates[index]!;
    }
  }
  return gradient;
}

/**
 * Which of the five weights any gate moves that moves itself.
 *
 * @param gates Values of z_4, z_8, z_16, z_32, [4, groups].
 * @param moves What is not 0 where a gate is not held by its clamp, [4, groups].
 */
export function movedWeights(gates: Float64Array, moves: Float64Array): readonly boolean[] {
  const groups = gates.length / GATES;
  const moved = new Array<boolean>(GATES + 1).fill(false);
  for (let group = 0; group < groups; group++) {
    let isMoved = false;
    let isReached = true;
    for (let level = 0, index = group; level < GATES; level++, index += groups) {
      const gate = gates[index]!;
      const movesHere = isReached && moves[index] !== 0;
      if (movesHere || (isMoved && gate !== 1)) moved[level] = true;
      isMoved = movesHere || (isMoved && gate !== 0);
      isReached &&= gate !== 0;
    }
    if (isMoved) moved[GATES] = true;
  }
  return moved;
}
