import { readFileSync } from "node:fs";
import { codeOf } from "../../core/errors.ts";

/** NVIDIA's driver as a shared library. */
export const driverLibrary = "libcuda.so.1";

/** The oldest driver that runs CUDA 12, each of its minor versions (NVIDIA's CUDA compatibility). */
export const oldestDriver = "525.60.13";

/** What the driver's half in the kernel says of itself; null: there is none. */
export function driverText(): string | null {
  try {
    return readFileSync("/proc/driver/nvidia/version", "utf8");
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return null;
  }
}

export const hasNvidiaDriver = (): boolean => driverText() !== null;

/** The version in that text, as 535.104.05; null where it is told in another way. */
export const driverVersion = (text: string): string | null =>
  /Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)/.exec(text)?.[1] ?? null;

/** Whether one version is older than another, number by number. */
export function isOlder(version: string, than: string): boolean {
  const [here, there] = [version, than].map((text) => text.split(".").map(Number));
  const differing = there?.findIndex((number, place) => (here?.[place] ?? 0) !== number) ?? -1;
  return differing >= 0 && (here?.[differing] ?? 0) < (there?.[differing] ?? 0);
}
