import { median } from "../../src/core/median.ts";
import type { Engine } from "../../src/engine/load-engine.ts";
import { architectures } from "./architectures.ts";
import type { BenchCase } from "./bench-case.ts";
import { type CaseName, createCase } from "./cases/index.ts";
import { isTorch, type TorchCaseName, TorchProcess } from "./cases/torch.ts";
import { type Effort, measure } from "./measure.ts";
import { peakMemory } from "./memory.ts";
import type { Measurement } from "./print.ts";
import type { Workload } from "./workload.ts";

export interface CompareOptions {
  readonly cases: readonly (CaseName | TorchCaseName)[];
  readonly effort: Effort;
  /** Whether to measure peak memory too. */
  readonly memory: boolean;
  /** Python with PyTorch; null: without its cases. */
  readonly python: string | null;
  readonly say: (message: string) => void;
}

/** Measures those of the cases that this workload has, in one interleaved run. */
export async function compare(
  engine: Engine,
  workload: Workload,
  { cases, effort, memory, python, say }: CompareOptions,
): Promise<Measurement[]> {
  const { network, batch } = workload;
  const architecture = architectures[network];
  const startTorch = python !== null && architecture ? () => TorchProcess.start(python, workload, architecture) : null;
  const torch = startTorch && (await startTorch());
  if (torch) say(`PyTorch ${torch.version}, ${torch.threads} threads`);
  const running = new Map<string, BenchCase>();
  for (const name of cases) {
    const created = isTorch(name) ? torch?.createCase(name) : createCase(name, engine, workload);
    if (created) running.set(name, created);
  }
  const times = await measure(running, effort);
  torch?.stop();
  for (const { dispose } of running.values()) dispose();

  const measurements: Measurement[] = [];
  for (const [name, steps] of times) {
    const medianMs = median(steps);
    measurements.push({
      network,
      batch,
      case: name,
      medianMs,
      minMs: Math.min(...steps),
      peakMb: memory ? await peakOf(name, workload, startTorch) : null,
      imagesPerSecond: (1000 * batch) / medianMs,
    });
  }
  return measurements;
}

/** Peak memory of a case alone in a fresh process: of Node, or of Python. */
async function peakOf(
  name: string,
  workload: Workload,
  startTorch: (() => Promise<TorchProcess>) | null,
): Promise<number> {
  if (!isTorch(name)) return peakMemory(name as CaseName, workload);
  const torch = await startTorch!();
  try {
    return await torch.peakMemory(name);
  } finally {
    torch.stop();
  }
}
