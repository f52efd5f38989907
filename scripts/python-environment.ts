import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../src/core/atomic-file.ts";

export interface PythonEnvironment {
  /** Where it lies: in the cache folder, so that it may be deleted at any time. */
  readonly folder: string;
  /** The text of a requirements file: the packages, by name and version. */
  readonly requirements: string;
  /** For the user: what is installed, and how much it is. */
  readonly what: string;
}

/**
 * Python of a virtual environment with the required packages; made on first use, and anew for other requirements.
 *
 * @throws Error when python3 or pip fail; they have said why.
 */
export function pythonOf(
  { folder, requirements, what }: PythonEnvironment,
  announce: (message: string) => void,
): string {
  const python = join(folder, "bin", "python");
  // The marker is the last thing written: a set-up that was stopped is done again.
  const marker = join(folder, "complete");
  if (existsSync(marker) && readFileSync(marker, "utf8") === requirements) return python;
  announce(`${what} from PyPI into ${folder}, once`);
  rmSync(folder, { recursive: true, force: true });
  const run = (program: string, args: readonly string[]) =>
    execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  run("python3", ["-m", "venv", folder]);
  const list = join(folder, "requirements.txt");
  writeFileAtomically(list, requirements);
  run(python, ["-m", "pip", "install", "--quiet", "--requirement", list]);
  writeFileAtomically(marker, requirements);
  return python;
}
