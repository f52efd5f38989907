import { fork } from "node:child_process";
import t from "tap";
import { ownProcess } from "../../fixtures/own-process.ts";
import type { GraphMessage } from "./quantize-graphs.ts";

// `npm run test:fuzz-graphs` sets it; without it a few of each. BAYESIAN_BITS_FUZZ_SEED is the number of the first case:
// with BAYESIAN_BITS_FUZZ_CASES=1 a single one.
const all = process.env.BAYESIAN_BITS_FUZZ === "all";
const first = Number(process.env.BAYESIAN_BITS_FUZZ_SEED ?? 1);
const cases = process.env.BAYESIAN_BITS_FUZZ_CASES;
const counts = { random: Number(cases ?? (all ? 200 : 10)), mutated: Number(cases ?? (all ? 500 : 20)) };

/** What share is quantized, at least: that of random graphs falls to settings alone, which do not fit every graph. */
const leastTaken = { random: 0.5, mutated: 0.3 } as const;

/** Without a sign of life for so long, a case hangs. */
const HANG_MS = 300_000;
/** Processor time that one case may take: the clock also counts what other programs take. */
const LONGEST_MS = 10_000;

type Told = Extract<GraphMessage, { outcome: unknown }>;

/** Cases in a process of its own, up to the last one, or to the one that it dies of. */
function quantize(kind: keyof typeof counts, from: number, to: number, folder: string): Promise<Told[]> {
  const { script, execArgv } = ownProcess("test/fuzz/graphs/quantize-graphs.ts");
  const child = fork(script, [kind, String(from), String(to), folder], {
    execArgv: [...execArgv, "--max-old-space-size=1024"],
  });
  return new Promise((resolve) => {
    const told: Told[] = [];
    let begun = from;
    const timer = setTimeout(() => child.kill("SIGKILL"), HANG_MS);
    child.on("message", (message: GraphMessage) => {
      timer.refresh();
      if ("outcome" in message) told.push(message);
      begun = message.seed;
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const died = { seed: begun, outcome: null, failure: `the process ended with ${signal ?? code}, or hung`, ms: 0 };
      resolve(told.at(-1)?.seed === to ? told : [...told, died]);
    });
  });
}

async function quantizeAll(kind: keyof typeof counts, folder: string): Promise<readonly Told[]> {
  const told: Told[] = [];
  const last = first + counts[kind] - 1;
  for (let from = first; from <= last; from = (told.at(-1)?.seed ?? last) + 1) {
    told.push(...(await quantize(kind, from, last, folder)));
  }
  return told;
}

// Both at once.
t.jobs = 2;
for (const kind of ["random", "mutated"] as const) {
  t.test(
    `${counts[kind]} ${kind} graphs from number ${first} on`,
    { timeout: 3_600_000, buffered: true },
    async (t) => {
      const told = await quantizeAll(kind, t.testdir());
      t.equal(told.length, counts[kind]);
      for (const { seed, failure, ms } of told) {
        if (failure !== null) t.fail(`${kind} ${seed}: ${failure}`);
        if (ms > LONGEST_MS) t.fail(`${kind} ${seed}: it took ${ms.toFixed(0)} ms of processor time`);
      }
      const countOf = (wanted: string | null) => told.filter(({ outcome }) => outcome === wanted).length;
      const [invalid, taken] = [countOf("invalid"), countOf(null)];
      t.comment(`${taken} quantized, ${told.length - taken - invalid} refused, ${invalid} not valid to begin with`);
      if (cases !== undefined) return;
      t.ok(invalid <= told.length / 10, "nearly all are valid");
      t.ok(taken >= told.length * leastTaken[kind], `${taken} of ${told.length} are quantized`);
    },
  );
}
