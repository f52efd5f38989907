import cliProgress from "cli-progress";
import { printable } from "../core/printable.ts";
import type { Progress } from "../core/progress.ts";
import { timeText } from "../core/time-text.ts";

/** The bar in the terminal's last line. There is one terminal, so there is one bar. */
let shown: { readonly all: cliProgress.MultiBar; readonly bar: cliProgress.SingleBar } | null = null;

/** Lets `write` write whole lines to the terminal, above the bar if there is one. */
export function writeAbove(write: () => void): void {
  if (shown === null) {
    write();
    return;
  }
  process.stderr.write(CLEARED_LINE);
  write();
  shown.all.update();
}

/** Takes the bar away, if there is one. */
export function hideBar(): void {
  shown?.all.stop();
  shown = null;
}

/** To the first column, and nothing in the line. */
const CLEARED_LINE = "\r\u001b[K";
/** Columns that stay free: terminals show Ctrl-C there as ^C, and in the last one they wrap. */
const ECHO = 3;
const LARGEST_BAR = 40;
/** A smaller bar tells less than the words that it would take the place of. */
const SMALLEST_BAR = 8;

/** A bar with time left. */
export function terminalProgress(): Progress {
  // However the process ends, the cursor is to be seen again.
  process.once("exit", hideBar);
  return {
    start(label, total) {
      hideBar();
      // Of one bar: a bar alone goes back to where it began, whatever has been written since.
      const all = new cliProgress.MultiBar(
        {
          format: lineOf(printable(label)),
          ...{ hideCursor: true, clearOnComplete: true, stream: process.stderr },
          // Lines above it wrap as ever. What has been written over it is drawn again.
          ...{ linewrap: true, forceRedraw: true, gracefulExit: false },
        },
        cliProgress.Presets.shades_grey,
      );
      shown = { all, bar: all.create(total, 0, { detail: "" }) };
      all.update();
    },
    update(done, detail = "") {
      shown?.bar.update(done, { detail: printable(detail) });
    },
    stop: hideBar,
  };
}

/** The line of a bar, as wide as the terminal at most: the bar shrinks first, then words are cut. */
const lineOf =
  (label: string) =>
  (
    options: cliProgress.Options,
    { progress, eta, value, maxWidth }: cliProgress.Params & { readonly maxWidth?: number },
    { detail }: { readonly detail: string },
  ): string => {
    const seconds = Number(eta);
    const words = [
      `${Math.floor(100 * progress)} %`,
      // Nothing is known of what has not begun.
      ...(value > 0 && seconds > 0 ? [`${timeText(seconds)} left`] : []),
      ...(detail === "" ? [] : [detail]),
    ].join(" | ");
    const width = (maxWidth ?? 80) - ECHO;
    const room = Math.min(LARGEST_BAR, width - label.length - words.length - 2);
    const bar = room < SMALLEST_BAR ? "" : `${cliProgress.Format.BarFormat(progress, { ...options, barsize: room })} `;
    const line = `${label} ${bar}${words}`;
    return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
  };
