import { InvalidArgumentError } from "commander";
import { exitCodes, UserError } from "../core/errors.ts";
import { type AgainstFloat, dropOf } from "../runs/against-float.ts";
import { valueText } from "../tasks/metric.ts";

/** @throws InvalidArgumentError, which ends with exit code 2. */
export function parseMaxDrop(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError(
      "expected a number from 0, as 0.5: points of a percentage, or the metric's own unit",
    );
  return value;
}

/**
 * Holds a result to what it may lose against float32.
 *
 * @param what What is held, for the messages.
 * @param remedy What makes something known of it in float32.
 * @throws UserError with the exit code 3 where it lost more; with 1 where nothing in float32 is known of it.
 */
export function requireMaxDrop(
  what: string,
  against: AgainstFloat | null,
  maxDrop: number | undefined,
  remedy = `name a run in float32 of the same network and data with \`bayesian-bits report ${what} --baseline RUN\`, or pretrain and evaluate on the test set`,
): void {
  if (maxDrop === undefined) return;
  if (against === null) {
    throw new UserError(`${what}: --max-drop ${maxDrop}: nothing in float32 is known to hold it against; ${remedy}`);
  }
  const drop = dropOf(against);
  if (drop <= maxDrop + 1e-9) return;
  const { metric, float, value, source } = against;
  const shown = (figure: number) => valueText(metric, figure);
  throw new UserError(
    `${what}: ${metric.label} ${shown(value)} is ${drop.toFixed(metric.digits ?? 4)} below float32 (${shown(float)}, ${source}), and --max-drop allows ${maxDrop}`,
    { exitCode: exitCodes.dropped },
  );
}
