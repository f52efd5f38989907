import type { Checkpoint } from "../runs/checkpoint.ts";
import { restoreSnapshot } from "../training/snapshot.ts";
import type { Prepared } from "./prepare.ts";

/**
 * Takes what a run has learned so far, and its teacher, from a checkpoint.
 *
 * @throws UserError where it does not fit.
 */
export function restorePrepared(prepared: Prepared, { tensors, progress }: Checkpoint): void {
  restoreSnapshot(prepared, tensors, progress);
  prepared.teaching?.restore(tensors);
}
