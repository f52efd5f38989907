import { cacheFolder } from "../../src/core/cache-folder.ts";
import { pythonOf } from "../python-environment.ts";

const VERSION = "2.13.0";

/** Python of a virtual environment with PyTorch, in the cache folder; made on first use, may be deleted any time. */
export const torchPython = (announce: (message: string) => void): string =>
  pythonOf(
    {
      folder: cacheFolder("bench", `torch-${VERSION}`),
      requirements: `torch==${VERSION}\nnumpy\n`,
      what: `PyTorch ${VERSION} (CPU), some 200 MB,`,
    },
    announce,
  );
