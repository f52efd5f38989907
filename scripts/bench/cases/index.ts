import type { Engine } from "../../../src/engine/load.ts";
import { architectures } from "../architectures.ts";
import type { BenchCase } from "../bench-case.ts";
import type { Workload } from "../workload.ts";
import { loadTfjs } from "./load-tfjs.ts";
import { createOurs, gateSettings } from "./ours.ts";
import { createSequentialTape } from "./sequential-tape.ts";
import { createTfjsFp32 } from "./tfjs-fp32.ts";

type Create = (engine: Engine, workload: Workload) => BenchCase | null;

/** Cases of this process, by the names that `--cases` takes; null where a case does not exist for a network. */
const creators = {
  fp32: ({ ops }, workload) => createOurs(ops, workload, null),
  "fp32-tfjs": baseline((network, workload) => createTfjsFp32(loadTfjs(), workload, network)),
  "sequential-tape": baseline((network, workload) => createSequentialTape(loadTfjs(), workload, network)),
  "quantized-2-8": ({ ops }, workload) => createOurs(ops, workload, gateSettings["2-8"]),
  "quantized-2-32": ({ ops }, workload) => createOurs(ops, workload, gateSettings["2-32"]),
  "quantized-worst": ({ ops }, workload) => createOurs(ops, workload, gateSettings.worst),
} as const satisfies Readonly<Record<string, Create>>;

/** The baselines have their own descriptions of networks, and need the native engine. */
function baseline(create: (network: (typeof architectures)[string], workload: Workload) => BenchCase): Create {
  return ({ info }, workload) => {
    const network = architectures[workload.network];
    return network === undefined || info.engine !== "native" ? null : create(network, workload);
  };
}

export type CaseName = keyof typeof creators;
export const caseNames = Object.keys(creators) as CaseName[];
export const torchCaseNames = ["torch-fp32", "torch-2-8", "torch-2-32"] as const;

export const createCase = (name: CaseName, engine: Engine, workload: Workload): BenchCase | null =>
  (creators[name] as Create)(engine, workload);
