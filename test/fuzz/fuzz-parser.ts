import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../src/core/errors.ts";
import type { Bombs, FuzzedParser } from "./fuzzed-parser.ts";
import { mutated } from "./mutations.ts";
import { parsers } from "./parsers.ts";

// Parsers one after another, in a process of their own: `fuzz-parser.ts NAME,NAME INPUTS SEED FOLDER`. The parent hears which
// one's turn it is, that it lives, and each one's result.

export type FuzzMessage =
  | { readonly begins: string }
  | "alive"
  | { readonly name: string; readonly result: FuzzResult };

export interface FuzzResult {
  readonly inputs: number;
  readonly slowestMs: number;
  readonly peakMib: number;
  /** What went wrong first, and the smallest input found that still does it; null when all is well. */
  readonly failure: { readonly message: string; readonly input: string } | null;
}

/** Processor time that one input may take, by bombs more: the clock also counts what other programs take. */
const limits = { mutated: 2000, bomb: 5000 } as const;

const [names, inputs, seed, folder] = process.argv.slice(2) as [string, string, string, string];
let [count, slowestMs] = [0, 0];
const tell = (message: FuzzMessage) => process.send!(message);

async function feed(parser: FuzzedParser, input: Buffer): Promise<void> {
  const own = join(folder, "own");
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { recursive: true });
  // What the parent finds when this process dies.
  writeFileSync(join(folder, "input"), input);
  tell("alive");
  // What the input before has left is not this one's: of small inputs it is next to nothing.
  if (parser.bombs) globalThis.gc?.();
  const before = process.cpuUsage();
  const error = await parse(parser, input, own);
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000;
  slowestMs = Math.max(slowestMs, ms);
  count++;
  if (error !== null && !(error instanceof UserError)) throw error;
  if (error !== null && error.message.length > 20_000)
    throw new Error(`a message of ${error.message.length} characters`);
  if (ms > limits[parser.bombs ? "bomb" : "mutated"]) throw new Error(`it took ${ms.toFixed(0)} ms of processor time`);
}

/** What parsing throws; null where it throws nothing. */
async function parse(parser: FuzzedParser, input: Buffer, own: string): Promise<unknown> {
  try {
    await parser.parse(input, own);
    return null;
  } catch (error) {
    return error;
  }
}

async function run(name: string): Promise<FuzzResult["failure"]> {
  const parser = parsers[name]!;
  const kept = join("test/fuzz/regressions", name);
  for (const file of existsSync(kept) ? readdirSync(kept) : []) {
    const input = readFileSync(join(kept, file));
    await feed(parser, input).catch((error: unknown) => {
      throw Object.assign(new Error(`${file}: ${String(error)}`), { input });
    });
  }
  for (const whole of parser.seeds) await feed(parser, Buffer.from(whole));
  if (parser.bombs) return explode(parser, parser.bombs);
  const property = fc.asyncProperty(mutated(parser.seeds), (input) => feed(parser, input));
  const { failed, counterexample, errorInstance } = await fc.check(property, {
    numRuns: Number(inputs),
    seed: Number(seed),
  });
  if (!failed) return null;
  const { stack = String(errorInstance) } = errorInstance as Error;
  return { message: stack, input: counterexample![0].toString("base64") };
}

async function explode(parser: FuzzedParser, bombs: Bombs): Promise<FuzzResult["failure"]> {
  for (const [what, make] of Object.entries(bombs)) {
    const input = Buffer.from(await make());
    if (input.length >= 2 ** 20) throw new Error(`${what}: ${input.length} bytes are no small input`);
    try {
      await feed(parser, input);
    } catch (error) {
      return { message: `${what}: ${error instanceof Error ? error.stack : String(error)}`, input: "as it is made" };
    }
    const peakMib = process.resourceUsage().maxRSS / 1024;
    if (peakMib >= 1024) return { message: `${what}: ${peakMib.toFixed(0)} MiB`, input: "as it is made" };
  }
  return null;
}

for (const name of names.split(",")) {
  [count, slowestMs] = [0, 0];
  tell({ begins: name });
  const failure = await run(name);
  const peakMib = process.resourceUsage().maxRSS / 1024;
  tell({ name, result: { inputs: count, slowestMs, peakMib, failure } });
}
process.disconnect();
