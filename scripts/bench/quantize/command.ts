import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";

const summarySchema = z.object({
  layers: z.object({ quantized: z.int(), of: z.int() }),
  bytes: z.object({ before: z.int(), after: z.int() }),
  agreement: z.number().nullable(),
  sqnrDb: z.number().nullable(),
  seconds: z.number(),
});

/** What `quantize --json` says in its last line. */
export type Summary = z.infer<typeof summarySchema>;

export interface Outcome {
  /** null: it was refused. */
  readonly summary: Summary | null;
  /** Its last words on the error channel, where it was refused. */
  readonly refusal: string | null;
  /** Of the whole process, start and end included. */
  readonly wallSeconds: number;
  readonly peakMiB: number;
}

/** How often the peak is asked for, in ms: it only grows, so that what is lost is its last moment. */
const POLL_MS = 20;

/** Runs the built command as a user does: `node dist/main.js quantize …args`. */
export async function quantize(args: readonly string[]): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(process.execPath, ["dist/main.js", "quantize", ...args, "--json"]);
  let [out, err, peakMiB] = ["", "", 0];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const status = `/proc/${child.pid}/status`;
  const timer = setInterval(() => {
    const kilobytes = existsSync(status) ? /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(status, "utf8"))?.[1] : undefined;
    peakMiB = Math.max(peakMiB, Number(kilobytes ?? 0) / 1024);
  }, POLL_MS);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearInterval(timer);
  const wallSeconds = (performance.now() - started) / 1000;
  const [lastOut, lastErr] = [out, err].map((text) => text.trim().split("\n").at(-1) ?? "");
  if (code !== 0) return { summary: null, refusal: lastErr || `exit code ${code}`, wallSeconds, peakMiB };
  return { summary: summarySchema.parse(JSON.parse(lastOut ?? "")), refusal: null, wallSeconds, peakMiB };
}
