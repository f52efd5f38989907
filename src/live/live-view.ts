import { once } from "node:events";
import { extname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { messageOf, UserError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import type { StepProgress } from "../runner/step-progress.ts";
import type { RunRecord } from "../runs/record.ts";
import type { FromServer, ToServer } from "./messages.ts";
import { RecordSender } from "./record-feed.ts";
import { stepText } from "./step-text.ts";

/** Megabytes that the thread may hold: far more than any report needs, far less than would hurt the training. */
const memory = 1024;

/** Milliseconds between two steps that are told: more are not read. */
const betweenSteps = 500;

/** Milliseconds after which a thread that does not end by itself is ended. */
const patience = 10_000;

/**
 * Serves the growing report of a run on 127.0.0.1, from a thread of its own: training gives each state of the record
 * away and waits for nothing. The thread keeps no process alive, and when it fails the run goes on.
 */
export class LiveView {
  readonly url: string;
  readonly #worker: Worker;
  readonly #sender = new RecordSender();
  #hasEnded = false;
  #toldAt = Number.NEGATIVE_INFINITY;

  private constructor(worker: Worker, { url, reporter }: { readonly url: string; readonly reporter: Reporter }) {
    this.url = url;
    this.#worker = worker;
    worker.unref();
    worker.on("error", (error) => reporter.warn(`the live view has ended (${messageOf(error)}); the run goes on`));
    worker.on("exit", () => {
      this.#hasEnded = true;
    });
  }

  /**
   * @param port 0: a free one.
   * @throws UserError when the port cannot be had.
   */
  static async start({ port, reporter }: { readonly port: number; readonly reporter: Reporter }): Promise<LiveView> {
    // The built program has .js here, tests .ts.
    const script = new URL(`./serve-thread${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(script, { workerData: { port }, resourceLimits: { maxOldGenerationSizeMb: memory } });
    // What the thread says.
    const [answer] = (await once(worker, "message")) as [FromServer];
    if (answer.kind === "listening") return new LiveView(worker, { url: answer.address, reporter });
    await worker.terminate();
    const reason = answer.code === "EADDRINUSE" ? "the port is in use" : answer.message;
    throw new UserError(
      `cannot serve the live view on port ${port} of 127.0.0.1: ${reason}; choose another with --watch-port, or leave it out for a free one`,
    );
  }

  /** The record as it is now. */
  show(record: RunRecord): void {
    this.#tell({ kind: "show", change: this.#sender.changeTo(record) });
  }

  /** Where training stands. Of many steps in a moment the first is told. */
  tellStep(progress: StepProgress): void {
    const now = performance.now();
    if (now - this.#toldAt < betweenSteps) return;
    this.#toldAt = now;
    this.#tell({ kind: "step", text: stepText(progress) });
  }

  /** The run is over: clients hear of it and take the last page, but nobody is waited for long. */
  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#worker.ref();
    this.#tell({ kind: "end" });
    const abandon = new AbortController();
    await Promise.race([
      once(this.#worker, "exit").catch(() => {}),
      sleep(patience, undefined, { signal: abandon.signal }).catch(() => {}),
    ]);
    abandon.abort();
    await this.#worker.terminate();
  }

  #tell(message: ToServer): void {
    this.#worker.postMessage(message);
  }
}
