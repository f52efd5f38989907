/** Work that stops again and again, each time with the share of it that is done, 0 to 1. */
export type Stepwise<Result> = Generator<number, Result, void>;

/** Does the work at once. */
export function toEnd<Result>(work: Stepwise<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Does the work; what `hear` throws at a step ends it there, with all that the work cleans up. */
export async function withHearing<Result>(
  work: Stepwise<Result>,
  hear: (share: number) => Promise<void>,
): Promise<Result> {
  for (let step = work.next(); ; ) {
    if (step.done === true) return step.value;
    try {
      await hear(step.value);
    } catch (error) {
      step = work.throw(error);
      continue;
    }
    step = work.next();
  }
}
