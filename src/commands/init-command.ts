import { existsSync } from "node:fs";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { UsageError } from "../core/errors.ts";
import { programWords } from "../core/program-words.ts";
import { shellWord } from "../core/shell-word.ts";
import { proposalLines, proposalText } from "../preview/describe-proposal.ts";
import { type Given, proposedName, proposeRun } from "../preview/propose-run.ts";
import type { Context } from "./context.ts";

export interface InitOptions extends Given {
  /** Where the configuration goes; beside nothing, `NAME.yaml`. */
  readonly out?: string;
  readonly force: boolean;
}

/** `init`: a network's file and images in; a configuration that runs as it stands out. */
export async function runInit({ model, data, out, force }: InitOptions, context: Context): Promise<void> {
  const { json, print, reporter } = context;
  const file = out ?? `${proposedName({ model, data })}.yaml`;
  // Not after seconds of measuring, and not over what has come meanwhile.
  refuseExisting(file, force);
  const proposal = await proposeRun({ model, data }, reporter);
  const next = `${programWords()} train ${shellWord(file)}`;
  refuseExisting(file, force);
  writeFileAtomically(file, proposalText(proposal, { command: commandOf({ model, data }), next }));
  if (json) {
    const { settings, network, timing, plan, budget, notes } = proposal;
    print(JSON.stringify({ file, next, settings, network, timing, plan, budget, notes }));
    return;
  }
  for (const [about, text] of proposalLines(proposal)) print(`${about.padEnd(9)}${text}`);
  print(`written  ${file}\n\n${next}`);
}

function refuseExisting(file: string, force: boolean): void {
  if (force || !existsSync(file)) return;
  throw new UsageError(`init: ${file} is there already: replace it with --force, or write another with --out`);
}

/** The command line that this was, as it is typed. */
const commandOf = ({ model, data }: Given): string =>
  [
    `${programWords()} init`,
    ...(model === undefined ? [] : [shellWord(model)]),
    ...(data === undefined ? [] : ["--data", shellWord(data)]),
  ].join(" ");
