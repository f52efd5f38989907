import type { SolverNeeds } from "../methods/method.ts";

/** What decides how much memory it takes to quantize a layer. */
export interface ProblemSize {
  readonly groups: number;
  /** Calibration images, and places of each. */
  readonly samples: number;
  readonly positions: number;
  /** Of one output. */
  readonly inputs: number;
  /** Of all groups together. */
  readonly outputs: number;
}

const FLOAT = 4;
const DOUBLE = 8;

/** Rows are held on the host and on the engine; targets too, negated ones on the host, and what a layer's error is made of. */
const INPUTS = 2;
const TARGETS = 10;
/**
 * What the engine's arenas and kernels grow by in any case. With it the estimate lies above how much LeNet-5 was seen to
 * grow on the native engine, in MiB: adaround 174 at 128 images (the estimate says 189), 351 at 1024 (434), nearest 312
 * at 1024 (429), bit-split 130 at 256 (223).
 */
const ALWAYS = 144 * 2 ** 20;
/** Weights, codes, choices, moments, gradients. */
const WEIGHTS = 8;
/** What one output channel should give and what it gives. */
const CHANNEL = 2;

/** Bytes of a layer's calibration rows alone, as they are collected. */
export const rowBytes = ({ groups, samples, positions, inputs, outputs }: ProblemSize): number =>
  FLOAT * samples * positions * (groups * inputs + outputs);

/** Rows that are gathered, less their means, and those of a piece. */
const CLUSTERED_ROWS = 3;
/** Blocks, in float64: as unrolled, whitened, and what is compared. */
const BLOCKS = 4;

/** Bytes that are held at once while a layer's blocks are clustered, at most. */
export const clusteringBytes = ({ groups, samples, positions, inputs, outputs }: ProblemSize): number =>
  FLOAT * CLUSTERED_ROWS * samples * positions * groups * inputs + DOUBLE * BLOCKS * inputs * outputs;

/** Bytes that are held at once while a layer is solved, at most. */
export function solverBytes(
  { groups, samples, positions, inputs, outputs }: ProblemSize,
  { batch, sums, flips }: SolverNeeds,
): number {
  const rows = positions * (INPUTS * samples + Math.min(batch, samples)) * groups * inputs;
  const targets = positions * TARGETS * (samples + Math.min(batch, samples)) * outputs;
  const products = DOUBLE * (groups * inputs * inputs + outputs * inputs);
  const columns = samples * positions * (FLOAT * groups * inputs + DOUBLE * CHANNEL);
  const extra = Math.max(sums || flips ? products : 0, flips ? columns : 0);
  return ALWAYS + FLOAT * (rows + targets + WEIGHTS * outputs * inputs) + extra;
}
