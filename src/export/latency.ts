import { RuntimeModel, type RuntimeOptions } from "./runtime.ts";

/** What latency is measured at. */
const BATCHES = [1, 32] as const;
const WARM_UP = 3;
/** Rounds of both files: at least and at most so many, within this time. */
const ROUNDS = [5, 40] as const;
const MILLISECONDS = 2000;

export interface Latency {
  readonly batch: number;
  /** Of the runtime. */
  readonly threads: number;
  /** Median over the rounds. */
  readonly medianMs: number;
  /** Of the unpruned network in float32, run in turn with it. */
  readonly fp32MedianMs: number;
}

/** A model and a batch that it takes. */
export interface Timed {
  readonly bytes: Uint8Array;
  /** Values of `shape`, for any number of images. */
  images(count: number): { readonly values: Float32Array | Uint8Array; readonly shape: readonly number[] };
}

/**
 * Milliseconds that onnxruntime takes for one batch of each of two models, run in turn so that both see the same machine.
 */
export async function measureLatency(
  { file, ...options }: RuntimeOptions & { readonly file: string },
  model: Timed,
  fp32: Timed,
): Promise<Latency[]> {
  const sessions = [
    await RuntimeModel.load(model.bytes, file, options),
    await RuntimeModel.load(fp32.bytes, `${file} (fp32)`, options),
  ] as const;
  try {
    const latencies: Latency[] = [];
    for (const batch of BATCHES) {
      const inputs = [model, fp32].map((one) => one.images(batch));
      const times: [number[], number[]] = [[], []];
      const end = performance.now() + MILLISECONDS;
      for (let round = -WARM_UP; round < ROUNDS[1]; round++) {
        if (round >= ROUNDS[0] && performance.now() > end) break;
        for (const index of [0, 1] as const) {
          const { values, shape } = inputs[index]!;
          const started = performance.now();
          await sessions[index].run(values, shape);
          if (round >= 0) times[index].push(performance.now() - started);
        }
      }
      latencies.push({
        batch,
        threads: sessions[0].threads,
        medianMs: median(times[0]),
        fp32MedianMs: median(times[1]),
      });
    }
    return latencies;
  } finally {
    for (const session of sessions) await session.release();
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
