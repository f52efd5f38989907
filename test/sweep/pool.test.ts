import fc from "fast-check";
import t from "tap";
import { runPool } from "../../src/sweep/local/pool.ts";
import { expect } from "../fixtures/laws.ts";

const need = fc.record({ threads: fc.integer({ min: 1, max: 4 }), memory: fc.integer({ min: 1, max: 8 }) });
const capacity = fc.record({
  workers: fc.integer({ min: 1, max: 4 }),
  threads: fc.integer({ min: 1, max: 8 }),
  memory: fc.integer({ min: 1, max: 16 }),
});
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

t.test("every job runs once, and those at work never take more than there is", async (t) => {
  const law = fc.asyncProperty(
    fc.array(need, { maxLength: 12 }),
    capacity,
    fc.infiniteStream(fc.nat(3)),
    async (needs, limits, waits) => {
      const jobs = needs.map((one) => ({ ...one }));
      const running = new Set<(typeof jobs)[number]>();
      const begun: unknown[] = [];
      await runPool(jobs, limits, async (job) => {
        begun.push(job);
        running.add(job);
        const now = [...running];
        expect(now.length <= limits.workers, "workers");
        expect(now.length === 1 || sum(now.map(({ threads }) => threads)) <= limits.threads, "threads");
        expect(now.length === 1 || sum(now.map(({ memory }) => memory)) <= limits.memory, "memory");
        for (let turns = waits.next().value!; turns >= 0; turns--)
          await new Promise((resolve) => setImmediate(resolve));
        running.delete(job);
      });
      expect(begun.length === jobs.length && new Set(begun).size === jobs.length, "each once");
    },
  );
  await t.resolves(fc.assert(law, { seed: 4, numRuns: 60 }));
});

t.test("all workers have work as long as there is some", async (t) => {
  const jobs = Array.from({ length: 7 }, () => ({ threads: 1, memory: 1 }));
  let [running, most] = [0, 0];
  await runPool(jobs, { workers: 3, threads: 3, memory: 10 }, async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  });
  t.equal(most, 3);
});

t.test("once it is stopped, none starts, and those at work are waited for", async (t) => {
  const jobs = Array.from({ length: 5 }, (_, id) => ({ id, threads: 1, memory: 1 }));
  const ended: number[] = [];
  let stopped = false;
  await runPool(
    jobs,
    { workers: 2, threads: 2, memory: 2 },
    async ({ id }) => {
      if (id === 1) stopped = true;
      await new Promise((resolve) => setImmediate(resolve));
      ended.push(id);
    },
    () => stopped,
  );
  t.strictSame(ended, [0, 1]);
});
