/** How much memory a run takes, stage by stage, and what to do where that is too much. */

export { type ImageCounts, imageCountsOf, type MemoryStage, memoryStages } from "./memory-stages.ts";
export { inGib, loweredSettings, requireMemory } from "./require-memory.ts";
export { estimateRuns } from "./run-memory.ts";
