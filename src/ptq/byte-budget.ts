import { UsageError } from "../core/errors.ts";

/** What weights may come to: percent of their bytes in float32, the whole file's bytes, or bits of a number on average. */
export type ByteBudget = { /** As it was given. */ readonly text: string } & (
  | { readonly relativeBytes: number }
  | { readonly bytes: number }
  | { readonly averageBits: number }
);

const units: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Reads `25%`, `300kB`, `avg:4`. @throws UsageError. */
export function parseBudget(text: string): ByteBudget {
  const [, number = "", unit = ""] = /^(?:avg:)?([0-9]+(?:\.[0-9]+)?)(%|[kKMG]?i?B)?$/.exec(text) ?? [];
  const value = Number(number);
  const factor = units[unit];
  if (value > 0) {
    if (text.startsWith("avg:") && unit === "") return { text, averageBits: value };
    if (!text.startsWith("avg:") && unit === "%") return { text, relativeBytes: value };
    if (!text.startsWith("avg:") && factor !== undefined) return { text, bytes: Math.floor(value * factor) };
  }
  throw new UsageError(
    `--budget ${text}: expected percent of the weights' bytes in float32, as 25%, bytes of the file, as 300kB, or bits of a weight on average, as avg:4`,
  );
}
