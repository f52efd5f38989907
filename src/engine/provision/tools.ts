import { execFileSync } from "node:child_process";
import { UserError } from "../../base/errors.ts";

/** Whether `command` runs and ends well. */
function works(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}

/** A Python with pip. @throws UserError that says what is missing and how to get it. */
export function findPython(): string {
  const python = ["python3", "python"].find((command) => works(command, ["--version"]));
  if (python === undefined) {
    throw new UserError(
      "Python is missing: install it (Debian, Ubuntu: apt install python3 python3-pip; Fedora: dnf install python3-pip; macOS: brew install python)",
    );
  }
  if (!works(python, ["-m", "pip", "--version"])) {
    throw new UserError(
      `pip is missing from ${python}: install it (Debian, Ubuntu: apt install python3-pip; Fedora: dnf install python3-pip; others: ${python} -m ensurepip)`,
    );
  }
  return python;
}

/** A C++ compiler. @throws UserError that says how to get one. */
export function findCompiler(): string {
  const compiler = ["g++", "c++", "clang++"].find((command) => works(command, ["--version"]));
  if (compiler !== undefined) return compiler;
  throw new UserError(
    "a C++ compiler is missing: install one (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; macOS: xcode-select --install)",
  );
}
