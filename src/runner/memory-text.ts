import type { MemoryStage } from "../training/memory-stages.ts";

export const inGib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/**
 * What to do so that stages fit that do not: `lower data.batchSize to 512`, with the largest settings that surely fit.
 * Null where a stage has no setting, or does not fit even at 1.
 */
export function loweredSettings(stages: readonly MemoryStage[], available: number): string | null {
  const lowered = stages
    .filter(({ atMost }) => atMost > available)
    .map(({ setting }) => {
      const value = setting === null ? 0 : largest(setting.value, (at) => setting.atMostAt(at) <= available);
      return value === 0 ? null : `${setting!.path} to ${value}`;
    });
  return lowered.includes(null) ? null : `lower ${lowered.join(" and ")}`;
}

/** The largest of 1 … `from` that fits, for a test that is monotonous and that `from` fails; 0 where none does. */
function largest(from: number, fits: (value: number) => boolean): number {
  let [low, high] = [0, from];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}
