import { z } from "zod";

/** What a run has found that took long, so that one that was stopped need not find it again. */
export interface Memo {
  /** What was kept under a key; null: nothing. */
  recall(key: string): unknown;
  keep(key: string, value: unknown): void;
}

/** For runs that are not resumed. */
export const forgetful: Memo = { recall: () => null, keep: () => {} };

/** A memo at whose uses a run may be stopped: `check` throws then. */
export const checked = (memo: Memo, check: () => void): Memo => ({
  recall: (key) => {
    check();
    return memo.recall(key);
  },
  keep: (key, value) => {
    memo.keep(key, value);
    check();
  },
});

/** A number that is measured unless it is known. */
export async function recalled(memo: Memo, key: string, measure: () => Promise<number>): Promise<number> {
  const known = z.number().safeParse(memo.recall(key));
  if (known.success) return known.data;
  const measured = await measure();
  memo.keep(key, measured);
  return measured;
}
