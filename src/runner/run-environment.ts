import { createRequire } from "node:module";
import { describeMachine } from "../engine/environment.ts";
import type { EngineInfo } from "../engine/load-engine.ts";
import type { Environment } from "../runs/record.ts";

// The package's own file: it has one.
const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

/** What runs, and on what. */
export const programOf = () => ({ version, ...describeMachine() });

/** What decides about a run's bytes beside its configuration. */
export const environmentOf = ({ engine, tensorflow, device, threads }: EngineInfo): Environment => ({
  ...programOf(),
  engine,
  tensorflow,
  device,
  threads,
});
