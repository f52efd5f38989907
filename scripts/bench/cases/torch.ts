import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Architecture } from "../architectures.ts";
import type { BenchCase } from "../bench-case.ts";
import type { Workload } from "../workload.ts";

const script = fileURLToPath(new URL("../torch_baseline.py", import.meta.url));
const hello = z.object({ torch: z.string(), threads: z.number() });
export const torchCaseNames = ["torch-fp32", "torch-2-8", "torch-2-32"] as const;
export type TorchCaseName = (typeof torchCaseNames)[number];
export const isTorch = (name: string): name is TorchCaseName => (torchCaseNames as readonly string[]).includes(name);

const MEMORY_STEPS = 4;
const reply = z.object({ ms: z.array(z.number()), peakMb: z.number() });

/** PyTorch in a process of its own, asked for steps between those of the other cases. */
export class TorchProcess {
  readonly version: string;
  readonly threads: number;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: ChildProcess, lines: AsyncIterator<string>, { torch, threads }: z.infer<typeof hello>) {
    this.#process = process;
    this.#lines = lines;
    this.version = torch;
    this.threads = threads;
  }

  static async start(python: string, { imageShape, classes, batch }: Workload, architecture: Architecture) {
    const child = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stdin.write(`${JSON.stringify({ architecture, imageShape, classes, batch })}\n`);
    return new TorchProcess(child, lines, hello.parse(await nextLine(lines)));
  }

  createCase(name: TorchCaseName): BenchCase {
    return { run: async (steps) => (await this.#ask(name, steps)).ms, dispose() {} };
  }

  /** Peak resident memory of the process after a few steps, in MB. */
  async peakMemory(name: TorchCaseName): Promise<number> {
    return (await this.#ask(name, MEMORY_STEPS)).peakMb;
  }

  stop(): void {
    this.#process.stdin!.end();
  }

  async #ask(name: TorchCaseName, steps: number): Promise<z.infer<typeof reply>> {
    this.#process.stdin!.write(`${JSON.stringify({ case: name, steps })}\n`);
    return reply.parse(await nextLine(this.#lines));
  }
}

async function nextLine(lines: AsyncIterator<string>): Promise<unknown> {
  const { value, done } = await lines.next();
  if (done) throw new Error("the PyTorch baseline has ended early; what it says stands above");
  return JSON.parse(value);
}
