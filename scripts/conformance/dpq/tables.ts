import { z } from "zod";
import { first } from "../../../src/core/elements.ts";
import type { Ops, Tensor } from "../../../src/engine/ops.ts";
import { readFloats } from "../../../src/engine/read-floats.ts";
import type { BackwardPass, RunningStatistics } from "../../../src/graph/node-kind.ts";
import { type CodedEmbeddingNode, codedEmbedding } from "../../../src/kinds/coded-embedding.ts";

/** [groups or 1, codewords, units] */
export const table = z.array(z.array(z.array(z.number())));

const shapeOf = (values: z.infer<typeof table>): readonly number[] => [
  values.length,
  first(values).length,
  first(first(values)).length,
];

/** An embedding by codes outside a network. */
export interface CodedTables {
  readonly node: CodedEmbeddingNode;
  /** [vocabulary, groups·units] */
  readonly queries: { readonly values: Float32Array; readonly width: number };
  readonly keys: z.infer<typeof table>;
  /** null: the keys are. */
  readonly values: z.infer<typeof table> | null;
  /** null: responses are not normalized. */
  readonly statistics: RunningStatistics | null;
  /** Where they are frozen. */
  readonly codes?: Int32Array;
}

/** Of the authors' implementation: epsilon is the node's. */
const MOMENTUM = 0.01;

export interface Passed {
  /** [tokens, units] */
  readonly output: Float32Array;
  readonly penalty: number;
  /** By queries, keys and, where there are any, values; none outside training. */
  readonly gradients: readonly Float32Array[];
  /** Moved, in training, towards those of the batch. */
  readonly statistics: RunningStatistics | null;
}

/** One pass of the tokens through the node, forward, and in training backward from `gradient`. */
export function passThrough(
  { node, queries, keys, values, statistics, codes }: CodedTables,
  {
    tokens,
    gradient,
    training,
  }: { readonly tokens: Int32Array; readonly gradient: Float32Array; readonly training: boolean },
  ops: Ops,
): Passed {
  const refuse = (): never => {
    throw new Error("the node asks for its inputs alone");
  };
  let penalty = 0;
  let moved = statistics;
  const mixed = (running: Float32Array, batch: Float32Array) =>
    running.map((value, index) => value + MOMENTUM * (batch[index]! - value));
  const pass: BackwardPass = {
    ...{ ops, training },
    ...{ input: refuse, parameter: refuse, quantizer: refuse, factor: refuse, codes: () => codes ?? null },
    ...{ range: refuse, level: refuse, wantsFactor: refuse, factorGradient: refuse, decoded: refuse },
    statistics: () => statistics ?? refuse(),
    observe(_, batch) {
      if (statistics === null) refuse();
      else moved = { mean: mixed(statistics.mean, batch.mean), variance: mixed(statistics.variance, batch.variance) };
    },
    penalty: (_, value) => {
      penalty = value;
    },
  };
  return ops.scope(
    () => {
      const upload = (of: z.infer<typeof table>) => ops.tensor(Float32Array.from(of.flat(2)), shapeOf(of));
      const { width } = queries;
      const inputs: [Tensor, Tensor, Tensor, ...Tensor[]] = [
        ops.tensor(tokens, [tokens.length, 1]),
        ops.tensor(queries.values, [queries.values.length / width, width]),
        upload(keys),
        ...(values === null ? [] : [upload(values)]),
      ];
      const { output, saved } = codedEmbedding.forward(node, inputs, pass);
      const upstream = ops.tensor(gradient, output.shape);
      const back = training ? codedEmbedding.backward(node, upstream, saved, pass, []) : [];
      const gradients = back.slice(1).flatMap((one) => (one === null ? [] : [readFloats(ops, one).slice()]));
      return { output: readFloats(ops, output).slice(), penalty, gradients, statistics: moved };
    },
    () => [],
  );
}
