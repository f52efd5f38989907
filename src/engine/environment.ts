import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

/** Instruction sets that decide how fast training is, by Linux's names: of x86, then of ARM. */
const known = [
  ...["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx_vnni", "amx_bf16", "amx_int8"],
  ...["asimd", "asimddp", "bf16", "i8mm", "sve", "sve2"],
];

export interface Machine {
  readonly node: string;
  /** Operating system and processor architecture, as linux-x64. */
  readonly platform: string;
  readonly cpu: string;
  readonly instructionSets: string[];
}

/** What the program runs on, for `doctor` and for records. */
export function describeMachine(): Machine {
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model.trim() || "unknown",
    instructionSets: instructionSets(),
  };
}

/** Threads that the engine uses when none are asked for: the cores this process may use. */
export const defaultThreads = (): number => availableParallelism();

/** Whether the processor multiplies bfloat16 numbers; others emulate it, more slowly than float32. */
export const hasBfloat16 = (): boolean =>
  instructionSets().some((name) => name === "avx512_bf16" || name === "amx_bf16" || name === "bf16");

/** Those of `known` that the processor has; none where the system does not tell. */
function instructionSets(): string[] {
  try {
    if (process.platform === "darwin")
      return parseSysctl(execFileSync("sysctl", ["-a", "hw.optional"], { encoding: "utf8" }));
    return process.platform === "linux" ? parseCpuinfo(readFileSync("/proc/cpuinfo", "utf8")) : [];
  } catch {
    return [];
  }
}

/** Of the first processor in /proc/cpuinfo; ARM calls the line Features. */
export function parseCpuinfo(text: string): string[] {
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/));
  return known.filter((name) => flags.has(name));
}

/** Of lines such as `hw.optional.arm.FEAT_BF16: 1` and `hw.optional.avx2_0: 1`. */
export function parseSysctl(text: string): string[] {
  const present = new Set(
    [...text.matchAll(/^hw\.optional\.(?:arm\.)?(?:FEAT_)?(\w+?)(?:_0)?: 1$/gm)].map(([, name]) => name!.toLowerCase()),
  );
  const names: Readonly<Record<string, string>> = { dotprod: "asimddp", advsimd: "asimd" };
  const flags = new Set([...present].map((name) => names[name] ?? name));
  return known.filter((name) => flags.has(name));
}
