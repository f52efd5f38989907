import type { Engine } from "../../src/engine/load.ts";
import { architectures } from "./architectures.ts";
import type { BenchCase } from "./bench-case.ts";
import { type CaseName, createCase, torchCaseNames } from "./cases/index.ts";
import { TorchProcess } from "./cases/torch.ts";
import { type Effort, measure, median } from "./measure.ts";
import { peakMemory } from "./memory.ts";
import type { Measurement } from "./print.ts";
import type { Workload } from "./workload.ts";

export interface CompareOptions {
  readonly cases: readonly CaseName[];
  readonly effort: Effort;
  readonly memory: boolean;
  /** Python with PyTorch; null: without its baseline. */
  readonly python: string | null;
}

/** Measures the cases that this workload has, and those of PyTorch, in one interleaved run. */
export async function compare(
  engine: Engine,
  workload: Workload,
  { cases, effort, memory, python }: CompareOptions,
): Promise<Measurement[]> {
  const { network, batch } = workload;
  const running = new Map<string, BenchCase>();
  for (const name of cases) {
    const created = createCase(name, engine, workload);
    if (created !== null) running.set(name, created);
  }
  const architecture = architectures[network];
  const start = python !== null && architecture ? () => TorchProcess.start(python, workload, architecture) : null;
  const torch = (await start?.()) ?? null;
  if (torch !== null) for (const name of torchCaseNames) running.set(name, torch.createCase(name));
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
      peakMb: memory ? await peakOf(name, workload, start) : null,
      imagesPerSecond: (1000 * batch) / medianMs,
    });
  }
  return measurements;
}

/** Peak memory of a case alone in a fresh process: of Node, or of Python. */
async function peakOf(name: string, workload: Workload, start: (() => Promise<TorchProcess>) | null): Promise<number> {
  if (!(torchCaseNames as readonly string[]).includes(name)) return peakMemory(name as CaseName, workload);
  const torch = await start!();
  try {
    return await torch.peakMemory(name);
  } finally {
    torch.stop();
  }
}
