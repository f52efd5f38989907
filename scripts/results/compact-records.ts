import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "../../src/core/atomic-file.ts";

const pictures = z.array(z.looseObject({ png: z.string() })).min(1);
const entries = z.record(z.string(), z.unknown());

/** Digits that curves of an epoch's gates and ranges are drawn from. */
const DIGITS = 6;

/**
 * A record's text as it is committed, where it stays for ever: without the indentation that the program writes, a quarter of
 * it; with six digits of how gates and ranges stood after each epoch, half of what is left; and without pictures of test
 * images where the run's page, which shows them, is not committed beside it.
 */
export function compactRecord(text: string, { shown }: { readonly shown: boolean }): string {
  const record = entries.parse(
    JSON.parse(text, (_, value: unknown) => (!shown && pictures.safeParse(value).success ? [] : value)),
  );
  const { epochs } = record;
  const curves = z
    .array(entries)
    .safeParse(epochs)
    .data?.map(({ quantizers, ...rest }) =>
      quantizers === undefined ? rest : { ...rest, quantizers: rounded(quantizers) },
    );
  return `${JSON.stringify(curves === undefined ? record : { ...record, epochs: curves })}\n`;
}

/** A value with all numbers in it rounded. */
const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, part: unknown) =>
    typeof part === "number" ? Number(part.toPrecision(DIGITS)) : part,
  );

/** Whether the page of a record's run stands beside it. */
export const isShown = (path: string): boolean => existsSync(join(dirname(path), "report.html"));

/** Rewrites those records that are larger than they need be. */
export function compactRecords(paths: readonly string[]): void {
  for (const path of paths) {
    const before = readFileSync(path, "utf8");
    const after = compactRecord(before, { shown: isShown(path) });
    if (after !== before) writeFileAtomically(path, after);
  }
}
