import { type ExitCode, exitCodes, messageOf, UserError } from "./errors.ts";
import { remedyFor } from "./file-errors.ts";
import { shortenWords } from "./shorten.ts";

interface Explained {
  readonly text: string;
  readonly exitCode: ExitCode;
}

/** What a program says of an error that ends it. A limit of the system, wherever it is met, is no defect. */
export function explainedError(error: unknown, { verbose }: { readonly verbose: boolean }): Explained {
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
