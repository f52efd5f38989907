import type { ByKind } from "../../core/by-kind.ts";
import { at, first } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import { NO_SHARE } from "../../kinds/masked-softmax.ts";
import { withBatch } from "../../kinds/transpose.ts";
import { elementTypes } from "../../onnx/element-types.ts";
import type { FrozenNetwork } from "../frozen-network.ts";
import type { FrozenSequence } from "../frozen-sequences.ts";
import type { GraphBuilder } from "./graph-builder.ts";

export interface Wiring {
  /** The values that it reads, float32 or, where only the order of elements changes, codes. */
  readonly inputs: readonly string[];
  readonly output: string;
  /** Name of what padding adds; zero if left out. */
  readonly zero?: string | undefined;
}

export interface Place extends Wiring {
  readonly graph: GraphBuilder;
  readonly network: FrozenNetwork;
}

/** The operators of nodes on tensors of any rank. */
export const sequenceOperators: ByKind<FrozenSequence, [Place], void> = {
  reshape({ id: name, outputShape }, { graph, inputs, output }) {
    const shape = graph.int64s(`${name}.shape`, [-1, ...outputShape]);
    graph.node("Reshape", [first(inputs), shape], { name, output });
  },
  transpose({ id: name, order }, { graph, inputs, output }) {
    graph.node("Transpose", inputs, { name, output, attributes: { perm: withBatch(order) } });
  },
  slice({ id: name, axis, start, size }, { graph, inputs, output }) {
    const bounds = [[start], [start + size], [axis + 1]].map((values, index) =>
      graph.int64s(`${name}.${at(["start", "end", "axis"], index)}`, values),
    );
    graph.node("Slice", [first(inputs), ...bounds], { name, output });
  },
  softmax({ id: name }, { graph, inputs, output }) {
    graph.node("Softmax", inputs, { name, output, attributes: { axis: -1 } });
  },
  "masked-softmax"(node, place) {
    const { id: name } = node;
    const { graph, output } = place;
    graph.node("Softmax", [maskedScores(node, place)], { name, output, attributes: { axis: -1 } });
  },
  "token-mask"({ id: name }, { graph, inputs, output }) {
    const isToken = graph.node("Cast", inputs, { name: `${name}.bool`, attributes: { to: elementTypes.bool } });
    graph.node("Cast", [isToken], { name, output, attributes: { to: elementTypes.float } });
  },
  "layer-norm"({ id: name, scale, shift, epsilon }, { graph, inputs, output }) {
    const parameters = [
      graph.floats(`${name}.scale`, scale, [scale.length]),
      graph.floats(`${name}.shift`, shift, [shift.length]),
    ];
    const attributes = { axis: -1, epsilon: { float: epsilon } };
    graph.node("LayerNormalization", [first(inputs), ...parameters], { name, output, attributes });
  },
  matmul({ id: name, transposeA, transposeB, outputShape }, { graph, inputs, output }) {
    const rank = outputShape.length;
    const order = [...Array.from({ length: rank - 1 }, (_, axis) => axis), rank, rank - 1];
    const sides = [transposeA, transposeB].map((isTransposed, index) =>
      isTransposed
        ? graph.node("Transpose", [at(inputs, index)], {
            name: `${name}.${index === 0 ? "left" : "right"}`,
            attributes: { perm: order },
          })
        : at(inputs, index),
    );
    graph.node("MatMul", sides, { name, output });
  },
};

/** What a masked softmax reads, without what stands at padding. */
function maskedScores({ id: name, outputShape }: FrozenSequence, { graph, inputs }: Place): string {
  const [tokens, x] = tuple(inputs, 2);
  const isToken = graph.node("Cast", [tokens], { name: `${name}.mask`, attributes: { to: elementTypes.bool } });
  const between = Array.from({ length: outputShape.length - 1 }, (_, axis) => axis + 1);
  const aligned = () =>
    graph.node("Unsqueeze", [isToken, graph.int64s(`${name}.axes`, between)], { name: `${name}.keys` });
  const mask = between.length === 0 ? isToken : aligned();
  return graph.node("Where", [mask, x, graph.floats(`${name}.none`, [NO_SHARE], [])], { name: `${name}.masked` });
}
