import { basename, dirname, relative } from "node:path";
import { shellWord } from "./shell-word.ts";

/**
 * What stands in front of a command's name where this program was started: from a clone, by npx, or as installed.
 *
 * @param script The file that Node was started with.
 * @param folder That whoever types the next command is in.
 */
export function programWords(script = process.argv[1] ?? "", folder = process.cwd()): string {
  if (basename(script) === "main.js") return `node ${shellWord(relative(folder, script))}`;
  return basename(dirname(script)) === ".bin" ? "npx bayesian-bits" : "bayesian-bits";
}
