import { UserError } from "../core/errors.ts";
import { verifyQuantized } from "../ptq/verify-quantized.ts";
import { type CheckedFile, verifyRun } from "../runs/run-manifest.ts";
import type { Context } from "./context.ts";

const words: { readonly [State in CheckedFile["state"]]: string } = {
  whole: "whole",
  readable: "readable; nothing says which bytes it should have",
  missing: "MISSING",
  damaged: "DAMAGED: it has other bytes than were written",
};

/**
 * `verify`: compares the files of a run, or of a quantized file, with their hashes.
 *
 * @throws UserError that names the files that are missing or damaged.
 */
export function runVerify({ run }: { readonly run: string }, { json, print }: Pick<Context, "json" | "print">): void {
  const quantized = verifyQuantized(run);
  const { hashed, files } = quantized ?? verifyRun(run);
  if (json) print(JSON.stringify({ run, hashed, files }));
  else {
    for (const { path, state } of files) print(`${path.padEnd(30)}${words[state]}`);
    if (!hashed) print(`${run} has no hashes of its files: it is not finished, or an older version made it`);
  }
  const wrong = files.filter(({ state }) => state === "missing" || state === "damaged");
  if (wrong.length === 0) return;
  const names = wrong.map(({ path, state }) => `${path} is ${state}`).join(", ");
  throw new UserError(
    `${run}: ${names}; restore them, or ${quantized === null ? "train" : "quantize"} again with --force`,
  );
}
