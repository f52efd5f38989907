import { lookup } from "../core/lookup.ts";
import { elementsOf } from "../graph/shape.ts";
import type { FrozenNetwork, FrozenNode } from "./frozen-network.ts";

/** The node whose output is the network's. */
export const outputNode = ({ nodes, output }: Pick<FrozenNetwork, "nodes" | "output">): FrozenNode =>
  lookup(new Map(nodes.map((node) => [node.id, node])), output);

/** How many values the network gives for each image. */
export const outputCount = (network: Pick<FrozenNetwork, "nodes" | "output">): number =>
  elementsOf(outputNode(network).outputShape);
