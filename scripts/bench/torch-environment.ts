import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../../src/core/atomic-file.ts";
import { cacheFolder } from "../../src/core/cache-folder.ts";

const VERSION = "2.13.0";

/** Python of a virtual environment with PyTorch, in the cache folder; made on first use, may be deleted any time. */
export function torchPython(announce: (message: string) => void): string {
  const folder = cacheFolder("bench", `torch-${VERSION}`);
  const python = join(folder, "bin", "python");
  // The marker is the last thing written: a set-up that was stopped is done again.
  const marker = join(folder, "complete");
  if (existsSync(marker)) return python;
  announce(`PyTorch ${VERSION} (CPU) from PyPI into ${folder}: some 200 MB, once`);
  rmSync(folder, { recursive: true, force: true });
  const run = (program: string, args: readonly string[]) =>
    execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  run("python3", ["-m", "venv", folder]);
  run(python, ["-m", "pip", "install", "--quiet", `torch==${VERSION}`, "numpy"]);
  writeFileAtomically(marker, "");
  return python;
}
