import type { Engine } from "../../../src/engine/load-engine.ts";
import { type Architecture, architectures } from "../architectures.ts";
import type { BenchCase } from "../bench-case.ts";
import type { Workload } from "../workload.ts";
import { loadTfjs, type Tfjs } from "./load-tfjs.ts";
import { createOurs, ourCases } from "./ours.ts";
import { createSequentialTape } from "./sequential-tape.ts";
import { createTfjsFp32 } from "./tfjs-fp32.ts";

type OurName = keyof typeof ourCases;

/** Steps of plain tfjs: on the native engine, for the networks that baselines know. */
const tfjsCases = {
  "fp32-tfjs": createTfjsFp32,
  "sequential-tape": createSequentialTape,
} as const satisfies Readonly<Record<string, (tf: Tfjs, workload: Workload, network: Architecture) => BenchCase>>;

type TfjsName = keyof typeof tfjsCases;

/** Cases of this process, by the names that `--cases` takes. */
export type CaseName = OurName | TfjsName;
const ourNames = Object.keys(ourCases) as OurName[];
export const caseNames: readonly CaseName[] = [...ourNames, ...(Object.keys(tfjsCases) as TfjsName[])];
export const isOurs = (name: string): name is OurName => Object.hasOwn(ourCases, name);

/** A case at its start; null where it does not exist for this network or engine. */
export function createCase(name: CaseName, engine: Engine, workload: Workload): BenchCase | null {
  if (isOurs(name)) return createOurs(engine, workload, ourCases[name]);
  const network = architectures[workload.network];
  if (network === undefined || engine.info.engine !== "native") return null;
  return tfjsCases[name](loadTfjs(), workload, network);
}
