import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

/** Instruction sets that decide how fast training is. */
const known = ["avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"];

export interface Machine {
  readonly node: string;
  /** Operating system and processor architecture. */
  readonly platform: string;
  readonly cpu: string;
  readonly instructionSets: string[];
}

/** What the program runs on, for `doctor` and for records. */
export function describeMachine(): Machine {
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    instructionSets: instructionSets(),
  };
}

/** Threads that the engine uses when none are asked for. */
export const defaultThreads = (): number => availableParallelism();

function instructionSets(): string[] {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" ") ?? [];
    return known.filter((name) => flags.includes(name));
  } catch {
    return [];
  }
}
