import { median } from "../core/median.ts";
import type { FileInputValues } from "../onnx/file-session.ts";
import { RuntimeModel, type RuntimeOptions } from "./runtime.ts";

/** What latency is measured at. */
const BATCHES = [1, 32] as const;
const WARM_UP = 3;
/** Rounds of both files at most. */
const ROUNDS = 40;
/** Seconds for all of it, where nothing else is said. */
export const LATENCY_SECONDS = 4;

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
  images(count: number): { readonly values: FileInputValues; readonly shape: readonly number[] };
}

/** Milliseconds that onnxruntime takes for a batch of each of two models, within `seconds` in all. */
export async function measureLatency(
  { file, seconds, ...options }: Omit<RuntimeOptions, "timed"> & { readonly file: string; readonly seconds: number },
  model: Timed,
  fp32: Timed,
): Promise<Latency[]> {
  const sessions = [
    await RuntimeModel.load(model.bytes, file, { ...options, timed: true }),
    await RuntimeModel.load(fp32.bytes, `${file} (fp32)`, { ...options, timed: true }),
  ] as const;
  try {
    const measured = await timeBatches(
      (batch) => {
        const inputs = [model.images(batch), fp32.images(batch)] as const;
        const run = (index: 0 | 1) => sessions[index].run(inputs[index].values, inputs[index].shape);
        return [() => run(0), () => run(1)];
      },
      { seconds, now: () => performance.now() },
    );
    return measured.map(({ batch, times }) => ({
      batch,
      threads: sessions[0].threads,
      medianMs: median(times[0]),
      fp32MedianMs: median(times[1]),
    }));
  } finally {
    for (const session of sessions) await session.release();
  }
}

type Run = () => Promise<unknown>;

interface BatchTimes {
  readonly batch: number;
  /** Milliseconds of each round, of both. */
  readonly times: readonly [readonly number[], readonly number[]];
}

/**
 * Times two programs in turn, so that both see the same machine: for each batch size up to 3 rounds to warm up and up to
 * 40 that count, at least one of each. A batch for which two rounds do not fit into what is left, by the time of the
 * one before it, is left out, with all larger ones.
 *
 * @param now Milliseconds.
 */
export async function timeBatches(
  runsOf: (batch: number) => readonly [Run, Run],
  { seconds, now }: { readonly seconds: number; readonly now: () => number },
): Promise<BatchTimes[]> {
  const end = now() + 1000 * seconds;
  const measured: BatchTimes[] = [];
  /** Milliseconds of the last round, for each of its images. */
  let perImage = 0;
  for (const [index, batch] of BATCHES.entries()) {
    const started = now();
    const share = (end - started) / (BATCHES.length - index);
    if (started + 2 * perImage * batch > end) break;
    const runs = runsOf(batch);
    const round = async (): Promise<readonly [number, number]> => {
      const start = now();
      await runs[0]();
      const middle = now();
      await runs[1]();
      const stop = now();
      perImage = (stop - start) / batch;
      return [middle - start, stop - middle];
    };
    for (let warm = 0; warm < WARM_UP && (warm === 0 || now() < started + share / 4); warm++) await round();
    const times: [number[], number[]] = [[], []];
    while (times[0].length === 0 || (times[0].length < ROUNDS && now() + perImage * batch <= started + share)) {
      const [first, second] = await round();
      times[0].push(first);
      times[1].push(second);
    }
    measured.push({ batch, times });
  }
  return measured;
}
