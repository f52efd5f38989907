import type { Engine } from "../../../src/engine/load-engine.ts";
import type { Precision } from "../../../src/engine/ops.ts";
import type { Statistics } from "../../../src/kinds/folded-norm.ts";
import type { Network } from "../../../src/kinds/index.ts";
import { createNetwork } from "../../../src/network/zoo/index.ts";
import { gatedWidths } from "../../../src/quantization/levels.ts";
import type { WidthGranularity } from "../../../src/quantization/width-granularity.ts";
import type { InitialGates } from "../../../src/quantizers/create-quantizers.ts";
import { createQuantizers } from "../../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../../src/quantizers/insert-quantizers.ts";
import { createTask } from "../../../src/tasks/create-task.ts";
import { initializeRanges } from "../../../src/training/initial-ranges.ts";
import { stepGates } from "../../../src/training/loop.ts";
import { createModel } from "../../../src/training/model.ts";
import { drawGates, type GateSamples } from "../../../src/training/pass.ts";
import { Trainer } from "../../../src/training/trainer.ts";
import { type BenchCase, timed } from "../bench-case.ts";
import type { Workload } from "../workload.ts";

const SEED = 1;
const adam = { optimizer: "adam", weightDecay: 0 } as const;
/** The gates do not learn here: they stay in the setting that the case is named after. */
const learningRates = { weights: 1e-3, gates: 0, ranges: 1e-3 };
const normalization = { mean: [0], deviation: [1] };

/** How gates stand in a case, step after step. */
interface GateSetting {
  readonly initial: InitialGates;
  /** Every draw of the noise; absent: as in training. */
  readonly draw?: number;
  /** How far the level gates of each output channel stand open or closed, at 2, 4 and 8 bits in turn; absent: as `initial`. */
  readonly widthsInTurn?: number;
}

const gates = (prune: number, bits4: number, bits8: number, bits16: number, bits32: number): InitialGates => ({
  prune,
  bits4,
  bits8,
  bits16,
  bits32,
});

/** Where the paper's MNIST runs start. */
export const gates2To8: GateSetting = { initial: gates(6, 6, 6, -6, -6) };
/** Where its CIFAR-10 runs start. */
const gates2To32: GateSetting = { initial: gates(6, 6, 6, 6, 6) };
/** Every gate strictly inside (0, 1), z_2 too: all five terms, and a gradient for every gate. */
const worst: GateSetting = { initial: gates(0, 0, 0, 0, 0), draw: 0.5 };
/** No draw moves a gate that stands so far from its middle. */
const CERTAIN = 20;

export interface OurOptions {
  /** Null: a network without quantizers, whose step is the FP32 step of the same code. */
  readonly gates: GateSetting | null;
  /** Where batch normalization takes its statistics from. */
  readonly statistics?: Statistics;
  readonly precision?: Precision;
  readonly granularity?: WidthGranularity;
}

/**
 * This project's training steps. Those of bfloat16 and cheap statistics are twins of quantized-2-32; those of channels, whose
 * widths are 2, 4 and 8 bits in turn, of quantized-2-8 and quantized-worst.
 */
export const ourCases = {
  fp32: { gates: null },
  "quantized-2-8": { gates: gates2To8 },
  "quantized-2-32": { gates: gates2To32 },
  "quantized-worst": { gates: worst },
  "quantized-bfloat16": { gates: gates2To32, precision: "bfloat16" },
  "quantized-cheap-statistics": { gates: gates2To32, statistics: "every-second-position" },
  "channels-2-8": { gates: { ...gates2To8, widthsInTurn: 6 }, granularity: "channel" },
  "channels-saturated": { gates: { ...gates2To8, widthsInTurn: CERTAIN }, granularity: "channel" },
  "channels-worst": { gates: worst, granularity: "channel" },
} as const satisfies Readonly<Record<string, OurOptions>>;

export interface OurCase extends BenchCase {
  readonly trainer: Trainer;
}

/** A training step as `train` does it; null for statistics of a network that has no batch normalization. */
export function createOurs(
  engine: Engine,
  workload: Workload,
  { gates, statistics = "every-position", precision = "float32", granularity = "tensor" }: OurOptions,
): OurCase | null {
  const { ops } = engine;
  const { imageShape, classes, pixels, labels } = workload;
  const names = Array.from({ length: classes }, (_, index) => String(index));
  const task = createTask(undefined, { kind: "classes", names });
  const plain = createNetwork(workload.network, { inputShape: imageShape, classes });
  if (statistics !== "every-position" && !plain.nodes.some(({ kind }) => kind === "batch-norm")) return null;
  const network = gates === null ? plain : insertQuantizers(plain, { statistics });
  const model = createModel(network, {
    ops,
    trainingOps: engine.atPrecision(precision),
    seed: SEED,
    quantizers: gates === null ? new Map() : quantizersOf(network, gates, granularity),
  });
  const images = () =>
    ops.scope(
      () => ops.normalize(ops.tensor(pixels, [labels.length, ...imageShape]), normalization),
      (normalized) => [normalized],
    );
  const samples = (step: number): GateSamples => {
    const { draw } = gates ?? {};
    if (draw === undefined) return stepGates(model, SEED, step);
    return drawGates(model, (_, count) => new Float64Array(count).fill(draw));
  };
  initializeRanges(model, images, () => samples(0));
  const trainer = new Trainer(model, { weights: adam, gates: adam, ranges: adam });
  return {
    trainer,
    run: timed(() => {
      const makeBatch = () => ({ images: images(), targets: [ops.tensor(labels, [labels.length])] });
      trainer.train(makeBatch, samples(trainer.step), { task, priorStrength: 0.01, learningRates });
    }),
    dispose() {
      for (const variable of model.parameters.values()) ops.dispose(variable);
      trainer.weights.dispose();
    },
  };
}

function quantizersOf(network: Network, { initial, widthsInTurn }: GateSetting, granularity: WidthGranularity) {
  const quantizers = createQuantizers(network, { pruning: true, initial, prior: "bop", granularity });
  if (widthsInTurn === undefined) return quantizers;
  for (const { phi, groups } of quantizers.values()) {
    if (groups.count === 1) continue;
    const widths = [2, 4, 8] as const;
    for (const [level, width] of gatedWidths.entries()) {
      for (let group = 0; group < groups.count; group++) {
        phi[level * groups.count + group] = width <= widths[group % widths.length]! ? widthsInTurn : -widthsInTurn;
      }
    }
  }
  return quantizers;
}
