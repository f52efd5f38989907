import type { ChildProcess } from "node:child_process";
import { Writable } from "node:stream";
import type { TAP } from "tap";

/** What is not told of a file that failed: assertions that hold, headings and plans. */
const told = /^ *(ok \d|# Subtest|\d+\.\.\d+|# time=|$)/;

/**
 * For terminals: a line for each file as it ends, and behind one that failed what did not hold. TAP is for programs.
 *
 * @returns What is to be called at the end of each file; null: it gave no results.
 */
export function reportOnTerminal(
  t: TAP,
): (name: string, result: { readonly ok: boolean; readonly time: number | null } | null) => void {
  const outputs = new Map<string, string>();
  t.pipe(new Writable({ write: (_chunk, _encoding, done) => done() }));
  t.register();
  t.on("spawn", (file) =>
    file.on("process", ({ stdout }: ChildProcess) =>
      stdout?.on("data", (chunk: Buffer) => outputs.set(file.name, (outputs.get(file.name) ?? "") + chunk.toString())),
    ),
  );
  t.on("complete", ({ ok }) =>
    console.log(`${ok ? "ok" : "not ok"}: ${t.counts.pass} passed, ${t.counts.fail} failed`),
  );
  return (name, result) => {
    const seconds = ((result?.time ?? 0) / 1000).toFixed(1).padStart(6);
    console.log(`${result?.ok ? "ok    " : "not ok"} ${seconds} s  ${name}`);
    const lines = (outputs.get(name) ?? "").split("\n").filter((line) => !told.test(line));
    if (!result?.ok) console.log(lines.join("\n"));
    outputs.delete(name);
  };
}

export interface FileTime {
  readonly name: string;
  readonly seconds: number;
}

/** The files that took longest, the longest first. */
export function slowestText(times: readonly FileTime[], count: number): string {
  const slowest = times.toSorted((one, other) => other.seconds - one.seconds).slice(0, count);
  const lines = slowest.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(8)}  ${name}`);
  return [`The slowest of ${times.length} test files, in seconds:`, ...lines].join("\n");
}
