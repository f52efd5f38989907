/** How much memory a run takes, stage by stage, and what to do where that is too much. */

export { imageCountsOf } from "./memory-stages.ts";
export { inGib, loweredSettings, requireMemory } from "./require-memory.ts";
export { estimateRuns } from "./run-memory.ts";
