import type { NodeId } from "../graph/graph.ts";
import type { RunningStatistics } from "../graph/node-kind.ts";

/** What a network that was trained before brings along, in the graph's layouts. */
export interface InitialValues {
  /** Of every parameter. */
  readonly parameters: ReadonlyMap<NodeId, Float32Array>;
  /** Of every batch normalization. */
  readonly statistics: ReadonlyMap<NodeId, RunningStatistics>;
}
