import { clipFactor } from "../../quantization/levels.ts";
import type { FrozenQuantizer } from "../frozen-network.ts";
import type { GraphBuilder } from "./graph-builder.ts";

/** Adds a quantizer of 32 bits: a clip to its range (docs/method.md, "Quantizer"). */
export function addClip(
  graph: GraphBuilder,
  { id, signed, xMax }: FrozenQuantizer,
  input: string,
  output: string,
): void {
  const high = xMax * clipFactor;
  const bounds = [graph.floats(`${id}.low`, [signed ? -high : 0], []), graph.floats(`${id}.high`, [high], [])];
  graph.node("Clip", [input, ...bounds], { name: `${id}.clip`, output });
}
