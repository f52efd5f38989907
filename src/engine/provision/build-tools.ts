import { execFileSync } from "node:child_process";
import { UserError } from "../../core/errors.ts";

/** Whether `command` runs and ends well. */
function works(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: 60_000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * A Python whose pip works.
 *
 * @throws UserError that says which of the two is missing and how to get it.
 */
export function findPython(): string {
  const pythons = ["python3", "python"].filter((command) => works(command, ["--version"]));
  const python = pythons.find((command) => works(command, ["-m", "pip", "--version"]));
  if (python !== undefined) return python;
  if (pythons.length === 0) {
    throw new UserError(
      "Python is missing: install it with pip (Debian, Ubuntu: apt install python3 python3-pip; Fedora: dnf install python3 python3-pip; macOS: brew install python)",
    );
  }
  throw new UserError(
    `pip is missing from ${pythons[0]}: install it (Debian, Ubuntu: apt install python3-pip; Fedora: dnf install python3-pip; macOS: ${pythons[0]} -m ensurepip)`,
  );
}

/**
 * A C++ compiler.
 *
 * @throws UserError that says how to get one.
 */
export function findCompiler(): string {
  const compiler = ["g++", "c++", "clang++"].find((command) => works(command, ["--version"]));
  if (compiler !== undefined) return compiler;
  throw new UserError(
    "a C++ compiler (g++ or clang++) is missing: install one (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; macOS: xcode-select --install)",
  );
}
