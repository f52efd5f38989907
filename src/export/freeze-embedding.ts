import { at, last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { tuple } from "../core/tuple.ts";
import type { NodeId } from "../graph/graph.ts";
import type { CodedEmbeddingNode } from "../kinds/coded-embedding.ts";
import type { EmbeddingNode } from "../kinds/embedding.ts";
import { encodeWeight, openFlags } from "./freeze-layer.ts";
import type { FreezePlace } from "./freeze-place.ts";
import type { FrozenCodedEmbedding, FrozenEmbedding } from "./frozen-network.ts";

/** A table on its grid, with the units that stay. */
export function freezeEmbedding({ id }: EmbeddingNode, place: FreezePlace): FrozenEmbedding {
  const { kept, base, layers, trained } = place;
  const { weight, weightShape, weightQuantizer } = lookup(layers, id);
  const quantizer = weightQuantizer === null ? null : lookup(trained.quantizers, weightQuantizer);
  const [rows, units] = tuple(weightShape, 2);
  const open = openFlags(quantizer, units);
  const encoded = encodeWeight(lookup(trained.parameters, weight), { factor: null, open, quantizer });
  const indices = Int32Array.from(
    { length: rows * kept.length },
    (_, place) => Math.floor(place / kept.length) * units + at(kept, place % kept.length),
  );
  return {
    ...{ ...base, kind: "embedding", keptOutputs: kept, unprunedOutputs: units },
    weight: encoded.select(indices, [rows, kept.length], kept),
  };
}

/** Codes and the codewords that they stand for: queries and, where they are not the codewords, keys are gone. */
export function freezeCodedEmbedding(
  { id, inputs: [, , keys, values = keys], groups, codewords }: CodedEmbeddingNode,
  { base, shape, trained }: FreezePlace,
): FrozenCodedEmbedding {
  const table = lookup(trained.parameters, values);
  const units = last(shape) / groups;
  return {
    ...{ ...base, kind: "coded-embedding", groups },
    codes: Uint16Array.from(lookup(trained.codes ?? new Map<NodeId, Int32Array>(), id)),
    values: table,
    valuesShape: [table.length / (codewords * units), codewords, units],
  };
}
