import cliProgress from "cli-progress";
import { printable } from "../core/printable.ts";
import type { Progress } from "../core/progress.ts";
import { silent } from "../core/progress.ts";

/** A bar with time left on a terminal; nothing elsewhere. */
export function terminalProgress(shown: boolean): Progress {
  if (!shown) return silent.progress;
  let bar: cliProgress.SingleBar | null = null;
  return {
    start(label, total) {
      bar?.stop();
      bar = new cliProgress.SingleBar(
        {
          format: `${printable(label)} {bar} {percentage} % | {eta_formatted} left | {detail}`,
          hideCursor: true,
          clearOnComplete: true,
          stream: process.stderr,
        },
        cliProgress.Presets.shades_grey,
      );
      bar.start(total, 0, { detail: "" });
    },
    update(done, detail = "") {
      bar?.update(done, { detail: printable(detail) });
    },
    stop() {
      bar?.stop();
      bar = null;
    },
  };
}
