import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { type CaseName, createCase } from "./cases/index.ts";
import { createWorkload, type Workload } from "./workload.ts";

const STEPS = 4;
const STATUS = "/proc/self/status";
const script = fileURLToPath(import.meta.url);
const job = z.tuple([z.string(), z.string(), z.coerce.number()]);

/** Peak resident memory, in MB, of a process that does nothing but a few steps of this case. */
export async function peakMemory(name: CaseName, { network, batch }: Workload): Promise<number> {
  const args = [...process.execArgv, script, name, network, String(batch)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return z.coerce.number().parse(stdout.trim().split("\n").at(-1));
}

/** Of this process, in MB. Linux's maxRSS is no less than that of the process that started this one: VmHWM is its own. */
function ownPeak(): number {
  const kilobytes = existsSync(STATUS) ? /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(STATUS, "utf8"))?.[1] : undefined;
  return Number(kilobytes ?? process.resourceUsage().maxRSS) / 1024;
}

if (process.argv[1] === script) {
  const [name, network, batch] = job.parse(process.argv.slice(2));
  const engine = await loadEngine();
  const created = createCase(name as CaseName, engine, createWorkload(network as Workload["network"], batch));
  await created!.run(STEPS);
  console.log(ownPeak());
}
