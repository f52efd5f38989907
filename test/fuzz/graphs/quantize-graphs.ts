import { cases } from "./graph-cases.ts";

// Cases in a process of their own, which a runtime may end: `quantize-graphs.ts KIND FIRST LAST FOLDER`.

/** What a process tells of a case before and behind it. */
export type GraphMessage =
  | { readonly seed: number }
  | { readonly seed: number; readonly outcome: string | null; readonly failure: string | null; readonly ms: number };

const [kind, first, last, folder] = process.argv.slice(2) as [string, string, string, string];
const tell = (message: GraphMessage) => void process.send!(message);

for (let seed = Number(first); seed <= Number(last); seed++) {
  tell({ seed });
  const started = process.cpuUsage();
  const [outcome, failure] = await cases[kind]!(seed, folder).then(
    (outcome) => [outcome, null] as const,
    (error: unknown) => [null, error instanceof Error ? (error.stack ?? error.message) : String(error)] as const,
  );
  const { user, system } = process.cpuUsage(started);
  tell({ seed, outcome, failure, ms: (user + system) / 1000 });
}
process.disconnect();
