import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { z } from "zod";

const summarySchema = z.object({
  layers: z.object({ quantized: z.int(), of: z.int() }),
  bytes: z.object({ before: z.int(), after: z.int() }),
  agreement: z.number().nullable(),
  sqnrDb: z.number().nullable(),
  seconds: z.number(),
  verified: z.boolean(),
});

/** What `quantize --json` says in its last line. */
export type Summary = z.infer<typeof summarySchema>;

export interface Outcome {
  /** null: it was refused. */
  readonly summary: Summary | null;
  /** Its words, where it was refused. */
  readonly refusal: string | null;
  /** Of the whole process, start and end included. */
  readonly wallSeconds: number;
  readonly peakMiB: number;
}

/** How often the peak is asked for, in ms: it only grows, so that what is lost is its last moment. */
const POLL_MS = 20;

/** Runs the built command as a user does: `node dist/main.js quantize …args`. @throws Error where it dies. */
export async function quantize(args: readonly string[]): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(process.execPath, ["dist/main.js", "quantize", ...args, "--json"]);
  let [out, err, peakMiB] = ["", "", 0];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const timer = setInterval(() => {
    peakMiB = Math.max(peakMiB, peakOf(child.pid));
  }, POLL_MS);
  const ended = await new Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>(
    (resolve, reject) => child.on("error", reject).on("close", (code, signal) => resolve({ code, signal })),
  );
  clearInterval(timer);
  const wallSeconds = (performance.now() - started) / 1000;
  const lastOf = (text: string) => text.trim().split("\n").at(-1) ?? "";
  if (ended.code === 0) {
    return { summary: summarySchema.parse(JSON.parse(lastOf(out))), refusal: null, wallSeconds, peakMiB };
  }
  const [, refusal] = /^error: (.*)$/m.exec(err) ?? [];
  // Whatever else ends it is a defect, and no refusal.
  if (refusal === undefined) {
    throw new Error(`quantize ${args.join(" ")} ended with ${ended.signal ?? ended.code}: ${lastOf(err)}`);
  }
  return { summary: null, refusal, wallSeconds, peakMiB };
}

/** The most memory that a process has had, in MiB; 0 where it has ended. */
function peakOf(pid: number | undefined): number {
  try {
    const [, kilobytes = "0"] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) / 1024;
  } catch {
    return 0;
  }
}
