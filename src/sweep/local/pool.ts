/** What a run takes while it lasts. */
export interface Need {
  readonly threads: number;
  readonly memory: number;
}

/** What there is to share. */
export interface Capacity extends Need {
  /** Runs at a time. */
  readonly workers: number;
}

/**
 * Works through `jobs` in their order, as many at a time as there is room for; one that does not fit yet lets later
 * ones pass. A job that needs more than there is goes alone. `work` must not throw.
 *
 * @param isStopped Whether no more are to be started; those under way are waited for.
 */
export async function runPool<Job extends Need>(
  jobs: readonly Job[],
  capacity: Capacity,
  work: (job: Job) => Promise<void>,
  isStopped: () => boolean = () => false,
): Promise<void> {
  const waiting = [...jobs];
  const running = new Map<Job, Promise<void>>();
  const startable = (): Job | undefined =>
    isStopped() ? undefined : waiting.find((job) => fits(job, [...running.keys()], capacity));
  for (;;) {
    for (let job = startable(); job !== undefined; job = startable()) {
      waiting.splice(waiting.indexOf(job), 1);
      const started = job;
      running.set(
        started,
        work(started).finally(() => running.delete(started)),
      );
    }
    if (running.size === 0) return;
    await Promise.race(running.values());
  }
}

function fits(job: Need, running: readonly Need[], { workers, threads, memory }: Capacity): boolean {
  if (running.length === 0) return true;
  const sum = (of: (need: Need) => number) => running.reduce((total, need) => total + of(need), of(job));
  return running.length < workers && sum((need) => need.threads) <= threads && sum((need) => need.memory) <= memory;
}
