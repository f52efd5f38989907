import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { parse } from "yaml";
import { z } from "zod";
import { compileTests } from "./compile.ts";
import { reportOnTerminal, slowestText } from "./report.ts";

// npm test: all test files, or those that are named (npm test -- test/core/random.test.ts test/data), compiled together, each in
// a process of its own. `npx tap FILE` runs a file from its source.

const settings = z.object({ jobs: z.number(), timeout: z.number() });
const { jobs, timeout } = settings.parse(parse(readFileSync(".taprc", "utf8")));
/** How many files are named with their times. */
const SLOWEST = 10;
/** What takes longest is begun first, so that none of it is left alone at the end. */
const longest = ["test/faults", "test/e2e", "test/library", "test/fuzz", "test/report/pages-in-browser"];

const all = readdirSync("test", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => join("test", name))
  .sort();
/** What tests start in processes of its own (test/fixtures/own-process.ts). */
const programs = [
  ...["test/fuzz/fuzz-parser.ts", "test/fuzz/graphs/quantize-graphs.ts"],
  ...["test/fixtures/lock-racer.ts", "test/fixtures/signalled-training.ts"],
];
const isLong = (file: string) => longest.some((beginning) => file.startsWith(beginning));
const named = process.argv.slice(2);
/** A folder stands for all files in it. */
const filesOf = (name: string) =>
  name.endsWith(".test.ts") ? [name] : all.filter((file) => file.startsWith(join(name, "/")));
const files =
  named.length > 0 ? named.flatMap(filesOf) : [...all.filter(isLong), ...all.filter((file) => !isLong(file))];

// A signal ends what was started, too: tap ends its processes when this one exits.
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }))
  process.once(signal, () => process.exit(code));
mkdirSync(".tap", { recursive: true });
const compiled = mkdtempSync(join(".tap", "compiled-"));
process.on("exit", () => rmSync(compiled, { recursive: true, force: true }));
await compileTests([...files, ...programs], compiled);

// tap would have every process that a test starts report to it, by NODE_OPTIONS: `env` gives it back as it was.
const { NODE_OPTIONS: options } = process.env;
const environment = ["-u", "NODE_OPTIONS", ...(options === undefined ? [] : [`NODE_OPTIONS=${options}`])];
const places = [`TAP_TIMEOUT=${timeout}`, `BAYESIAN_BITS_COMPILED_TESTS=${resolve(compiled)}`];
const start = [...environment, ...places, process.execPath, "--enable-source-maps"];

t.setTimeout(0);
t.jobs = jobs;
const report = process.stdout.isTTY ? reportOnTerminal(t) : null;
t.plan(files.length);
const times = await Promise.all(
  files.map(async (name) => {
    const script = join(compiled, name.replace(/\.ts$/, ".js"));
    const result = await t.spawn("env", [...start, script], { name, buffered: true, timeout: timeout * 1000 });
    report?.(name, result);
    return { name, seconds: (result?.time ?? 0) / 1000 };
  }),
);
console.error(slowestText(times, SLOWEST));
