import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { type ExitCode, exitCodes, messageOf, UserError } from "./errors.ts";
import { remedyFor } from "./file-errors.ts";
import { shortenWords } from "./shorten.ts";

interface Explained {
  readonly text: string;
  readonly exitCode: ExitCode;
}

/** Node's words where it has looked for a package. */
const missingPackage = /^Cannot find package '(.+)' imported from /;

/**
 * Node says that a package is missing, too, where it can open no more files: one whose folder is there is such.
 *
 * @returns The error that it is.
 */
function unopened(error: unknown): unknown {
  const [, file] = missingPackage.exec(messageOf(error)) ?? [];
  if (file === undefined || !existsSync(dirname(file))) return error;
  return Object.assign(new Error(`EMFILE: ${file} cannot be opened`), { code: "EMFILE", cause: error });
}

/** What a program says of an error that ends it. A limit of the system, wherever it is met, is no defect. */
export function explainedError(thrown: unknown, { verbose }: { readonly verbose: boolean }): Explained {
  const error = unopened(thrown);
  const remedy = remedyFor(error) ?? (error instanceof Error ? remedyFor(error.cause) : undefined);
  const isKnown = error instanceof UserError || remedy !== undefined;
  const message = messageOf(error);
  const advice = remedy === undefined || message.includes(remedy) ? "" : `; ${remedy}`;
  const stack = verbose && error instanceof Error ? `\n${error.stack ?? ""}` : "";
  return {
    text: `${isKnown ? "error" : "internal error (please report it)"}: ${shortenWords(message)}${advice}${stack}`,
    exitCode: error instanceof UserError ? error.exitCode : exitCodes.failed,
  };
}
