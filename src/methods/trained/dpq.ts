import type { RunConfig } from "../../config/schema.ts";
import { UsageError } from "../../core/errors.ts";
import { lookup } from "../../core/lookup.ts";
import { tuple } from "../../core/tuple.ts";
import type { EmbeddingNode } from "../../kinds/embedding.ts";
import type { Network, Node } from "../../kinds/index.ts";
import { outputShapes } from "../../network/output-shapes.ts";
import { type Method, noPrior } from "../method.ts";

type Config = Extract<RunConfig["method"], { name: "dpq" }>;

/**
 * Differentiable product quantization (Chen et al., ICML 2020): every embedding table becomes queries, of which training
 * learns codes and codewords (docs/method.md, "Embeddings as codes").
 */
export const dpq = (config: Config): Method => ({
  prepare: (network) => codeEmbeddings(network, config),
  quantizers: () => new Map(),
  prior: noPrior,
  trainsWeights: true,
});

/** @throws UsageError for a network without an embedding, and where groups do not divide one. */
function codeEmbeddings(network: Network, config: Config): Network {
  if (!network.nodes.some(({ kind }) => kind === "embedding")) {
    throw new UsageError(
      `method.name: dpq is for embeddings, and ${network.name} has none: take text-classifier, or another method`,
    );
  }
  const shapes = outputShapes(network);
  const nodes = network.nodes.flatMap((node): Node[] => {
    if (node.kind !== "embedding") return [node];
    const [, units] = tuple(lookup(shapes, node.inputs[1]), 2);
    return coded(node, units, config);
  });
  return { ...network, nodes };
}

/** The table stays as it is: a token's row is its query. */
function coded(
  { id, inputs: [tokens, queries] }: EmbeddingNode,
  units: number,
  { variant, codewords, groups, shared, batchNorm, temperature, beta }: Config,
): Node[] {
  if (units % groups !== 0) {
    throw new UsageError(
      `method.groups: expected a divisor of the ${units} units of ${id} (${divisors(units).join(", ")}), got ${groups}`,
    );
  }
  const shape = [shared ? 1 : groups, codewords, units / groups] as const;
  // TensorFlow's default (Glorot and Bengio, 2010) for a tensor of three axes, as the authors start.
  const initial = { kind: "uniform", bound: Math.sqrt(6 / (shape[0] * (shape[1] + shape[2]))) } as const;
  const table = (name: "keys" | "values"): Node => ({
    ...{ kind: "parameter", id: `${id}.${name}`, role: "weight", shape, initial },
  });
  const names = variant === "sx" ? (["keys", "values"] as const) : (["keys"] as const);
  return [
    ...names.map(table),
    {
      ...{ kind: "coded-embedding", id, variant, groups, codewords, temperature, beta, normalization: batchNorm },
      inputs: [tokens, queries, `${id}.keys`, ...names.slice(1).map((name) => `${id}.${name}`)],
    },
  ];
}

const divisors = (units: number): readonly number[] =>
  Array.from({ length: units }, (_, index) => index + 1).filter((size) => units % size === 0);
