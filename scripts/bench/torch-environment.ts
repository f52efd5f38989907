import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../src/core/cache-folder.ts";
import { pythonOf } from "../python-environment.ts";

const VERSION = "2.13.0";

const folder = () => cacheFolder("bench", `torch-${VERSION}`);

/** Python of a virtual environment with PyTorch, in the cache folder; made on first use, may be deleted any time. */
export const torchPython = (announce: (message: string) => void): string =>
  pythonOf(
    {
      folder: folder(),
      requirements: `torch==${VERSION}\nnumpy\n`,
      what: `PyTorch ${VERSION} (CPU), some 200 MB,`,
    },
    announce,
  );

/** The same where it has been made. */
export function madeTorchPython(): string | null {
  const python = join(folder(), "bin", "python");
  return existsSync(join(folder(), "complete")) ? python : null;
}
