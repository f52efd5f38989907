import { fork } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ownProcess } from "../fixtures/own-process.ts";
import type { FuzzMessage, FuzzResult } from "./fuzz-parser.ts";
import { parsers } from "./parsers.ts";

// `npm run test:fuzz` sets it: more than 20,000 inputs over all parsers. Without it a few of each.
const all = process.env.BAYESIAN_BITS_FUZZ === "all";
/** The bombs of all other doors take minutes: they go off in `npm run test:fuzz` alone. */
const names = Object.keys(parsers).filter((name) => all || !name.endsWith("-bombs") || name === "network-bombs");
/** Bombs are not mutated: they go off as they are made. */
const mutated = names.filter((name) => !name.endsWith("-bombs"));
const inputs = all ? Math.ceil(22_000 / mutated.length) : 20;
const seed = Number(process.env.BAYESIAN_BITS_FUZZ_SEED ?? 11);

/** Without a sign of life for so long, a parser hangs. */
const HANG_MS = 60_000;
const LARGEST_MIB = 1024;

/** How many parsers share a process: starting one takes longer than a few inputs. */
const PER_PROCESS = all ? 1 : 8;

/** Fuzzes parsers in a process of their own; of those behind one that ends it there is no result. */
function fuzz(names: readonly string[], folder: string): Promise<ReadonlyMap<string, FuzzResult>> {
  mkdirSync(folder, { recursive: true });
  const { script, execArgv } = ownProcess("test/fuzz/fuzz-parser.ts");
  const child = fork(script, [names.join(), String(inputs), String(seed), folder], {
    execArgv: [...execArgv, "--expose-gc", "--max-old-space-size=1024"],
  });
  return new Promise((resolve) => {
    const results = new Map<string, FuzzResult>();
    let [running] = names;
    const timer = setTimeout(() => child.kill("SIGKILL"), HANG_MS);
    child.on("message", (message: FuzzMessage) => {
      timer.refresh();
      if (message === "alive") return;
      if ("begins" in message) running = message.begins;
      else results.set(message.name, message.result);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (running !== undefined && !results.has(running)) {
        const last = join(folder, "input");
        const input = existsSync(last) ? readFileSync(last).toString("base64") : "";
        const failure = { message: `the process ended with ${signal ?? code}, or hung`, input };
        results.set(running, { inputs: 0, slowestMs: 0, peakMib: 0, failure });
      }
      resolve(results);
    });
  });
}

const groups = Array.from({ length: Math.ceil(names.length / PER_PROCESS) }, (_, group) =>
  names.slice(group * PER_PROCESS, (group + 1) * PER_PROCESS),
);
const unreached: FuzzResult = {
  ...{ inputs: 0, slowestMs: 0, peakMib: 0 },
  failure: { message: "its turn never came: the process ended before", input: "" },
};

let total = 0;
for (const group of groups) {
  t.test(`${group.join(", ")}: ${inputs} mutated inputs each (seed ${seed})`, { timeout: 3_600_000 }, async (t) => {
    const results = await fuzz(group, join(t.testdir(), group[0] ?? ""));
    for (const name of group) {
      const { failure, peakMib, slowestMs, inputs } = results.get(name) ?? unreached;
      // Kept as test/fuzz/regressions/<parser>/<what>, it is tried first ever after.
      t.equal(
        failure,
        null,
        `${name}: ${failure === null ? "nothing breaks it" : `${failure.message}\ninput (base64): ${failure.input}`}`,
      );
      t.ok(peakMib < LARGEST_MIB, `${name}: ${peakMib.toFixed(0)} MiB`);
      t.comment(`${inputs} inputs, the slowest ${slowestMs.toFixed(0)} ms, ${peakMib.toFixed(0)} MiB at most`);
      total += inputs;
    }
  });
}

t.test("that many in all", async (t) => {
  if (all) t.ok(total >= 20_000, `${total} inputs`);
  else t.ok(total >= names.length * inputs);
});
