import { applyByKind, type ByKind } from "../core/by-kind.ts";
import { first, last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { tuple } from "../core/tuple.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { Padding } from "../graph/graph.ts";
import { affineOf } from "../kinds/affine.ts";
import { averagePooled } from "../kinds/average-pool.ts";
import { aligned } from "../kinds/broadcast.ts";
import { concatenated } from "../kinds/concat.ts";
import { transposed } from "../kinds/conv-transpose.ts";
import { denseOf } from "../kinds/dense.ts";
import { layerNormOf } from "../kinds/layer-norm.ts";
import { maskedMeanOf } from "../kinds/masked-mean.ts";
import { maskedSoftmaxOf } from "../kinds/masked-softmax.ts";
import { productOf } from "../kinds/matmul.ts";
import { resized } from "../kinds/resize.ts";
import { sliced } from "../kinds/slice.ts";
import { softmaxOf } from "../kinds/softmax.ts";
import { maskOf } from "../kinds/token-mask.ts";
import { withBatch } from "../kinds/transpose.ts";
import { type FrozenLayer, type FrozenNetwork, type FrozenNode, isFrozenLayer } from "./frozen-network.ts";
import { decodedTable, valuesOf } from "./tensor-values.ts";

interface LayerParameters {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

interface Evaluated {
  readonly ops: Ops;
  /** What the node reads, in order. */
  readonly inputs: readonly Tensor[];
  parametersOf(layer: string): LayerParameters;
  /** [vocabulary, units] */
  tableOf(embedding: string): Tensor;
}

/** The kernels of each kind of node. */
const kernels: ByKind<FrozenNode, [Evaluated], Tensor> = {
  input: (_, { inputs }) => first(inputs),
  conv2d: (node, place) => layer(node, place, (x, weight) => place.ops.conv2d(x, weight, node)),
  "depthwise-conv2d": (node, place) => layer(node, place, (x, weight) => place.ops.depthwiseConv2d(x, weight, node)),
  "conv-transpose": (node, place) => layer(node, place, (x, weight) => transposed(x, weight, node, place.ops)),
  dense: (node, place) => layer(node, place, (x, weight) => denseOf(x, weight, place.ops)),
  embedding: lookedUp,
  "coded-embedding": lookedUp,
  affine({ scale, shift, shape }, { ops, inputs }) {
    const [factor, summand] = [ops.tensor(scale, shape), ops.tensor(shift, shape)];
    return affineOf([first(inputs), factor, summand], shape.length > 1, ops);
  },
  "max-pool"(node, { ops, inputs: [x] }) {
    const padded = hasPadding(node.padding) ? ops.pad(x!, { ...node, channels: [0, 0] }, LOWEST) : x!;
    return ops.maxPool(padded, node).output;
  },
  "average-pool": (node, { ops, inputs }) => averagePooled(first(inputs), node, ops),
  "global-average-pool": (_, { ops, inputs }) => ops.globalAveragePool(first(inputs)),
  "masked-mean": (_, { ops, inputs }) => maskedMeanOf(...tuple(inputs, 2), ops).output,
  resize: (node, { ops, inputs }) => resized(first(inputs), node, ops),
  relu: ({ limit }, { ops, inputs }) =>
    limit === null ? ops.relu(first(inputs)) : ops.cappedRelu(first(inputs), limit),
  nonlinear: ({ of }, { ops, inputs }) => ops.nonlinear(first(inputs), of),
  add: (_, { ops, inputs }) => ops.add(...aligned(ops, tuple(inputs, 2))),
  multiply: (_, { ops, inputs }) => ops.multiply(...aligned(ops, tuple(inputs, 2))),
  concat: (_, { ops, inputs }) => concatenated(inputs, ops),
  pad: (node, { ops, inputs }) => ops.pad(first(inputs), node),
  select: ({ channels }, { ops, inputs: [x] }) =>
    ops.gather(x!, ops.tensor(Int32Array.from(channels), [channels.length]), x!.shape.length - 1),
  flatten: reshaped,
  reshape: reshaped,
  transpose: ({ order }, { ops, inputs }) => ops.transpose(first(inputs), withBatch(order)),
  slice: (node, { ops, inputs }) => sliced(node, first(inputs), ops),
  softmax: (_, { ops, inputs }) => softmaxOf(first(inputs), ops),
  "token-mask": (_, { ops, inputs }) => ops.tensor(maskOf(ops.read(first(inputs))), first(inputs).shape),
  "masked-softmax": (_, { ops, inputs }) => maskedSoftmaxOf(...tuple(inputs, 2), ops).output,
  "layer-norm"({ scale, shift, epsilon }, { ops, inputs }) {
    const [factor, summand] = [scale, shift].map((values) => ops.tensor(values, [values.length]));
    return layerNormOf(first(inputs), { scale: factor!, shift: summand!, epsilon }, ops);
  },
  matmul: (node, { ops, inputs }) => productOf(node, tuple(inputs, 2), ops),
  quantizer: (node, { ops, inputs }) => ops.quantize(first(inputs), node),
};

function reshaped({ outputShape }: FrozenNode, { ops, inputs }: Evaluated): Tensor {
  return ops.reshape(first(inputs), [first(first(inputs).shape), ...outputShape]);
}

function lookedUp({ id }: FrozenNode, { ops, inputs, tableOf }: Evaluated): Tensor {
  return ops.gather(tableOf(id), first(inputs), 0);
}

function layer(
  { id }: FrozenLayer,
  { ops, inputs: [x], parametersOf }: Evaluated,
  multiply: (x: Tensor, weight: Tensor) => Tensor,
): Tensor {
  const { weight, bias } = parametersOf(id);
  return ops.addBias(multiply(x!, weight), bias);
}

/** No element is smaller: padding of a max-pool never wins. */
const LOWEST = -3.4e38;

const hasPadding = (padding: Padding): boolean => Object.values(padding).some((size) => size > 0);

/**
 * What the trainer's own kernels make of a frozen network: the yardstick for every exported file. Weights are uploaded
 * once; call `release` at the end. Tensors are [batch, height, width, channels] or [batch, units].
 */
export class Reference {
  readonly #ops: Ops;
  readonly #network: FrozenNetwork;
  readonly #parameters: ReadonlyMap<string, LayerParameters>;
  readonly #tables: ReadonlyMap<string, Tensor>;

  constructor(ops: Ops, network: FrozenNetwork) {
    this.#ops = ops;
    this.#network = network;
    const layers = network.nodes.filter(isFrozenLayer);
    this.#parameters = new Map(
      layers.map(({ id, weight, bias }) => [
        id,
        { weight: ops.tensor(valuesOf(weight), weight.shape), bias: ops.tensor(bias, [bias.length]) },
      ]),
    );
    this.#tables = new Map(
      network.nodes.flatMap((node) => {
        if (node.kind === "embedding") return [[node.id, ops.tensor(valuesOf(node.weight), node.weight.shape)]];
        if (node.kind !== "coded-embedding") return [];
        const table = decodedTable(node);
        const units = last(node.outputShape);
        return [[node.id, ops.tensor(table, [table.length / units, units])]];
      }),
    );
  }

  /** The output of one node for what it reads, in order. */
  evaluateNode(node: FrozenNode, inputs: readonly Tensor[]): Tensor {
    return applyByKind(kernels, node, {
      ...{ ops: this.#ops, inputs },
      parametersOf: (id) => lookup(this.#parameters, id),
      tableOf: (id) => lookup(this.#tables, id),
    });
  }

  /** The network's output for normalised images, or tokens; owned by the caller. */
  logits(images: Tensor): Tensor {
    const { nodes, output } = this.#network;
    const uses = new Map<string, number>([[output, 1]]);
    for (const { inputs } of nodes) for (const id of inputs) uses.set(id, (uses.get(id) ?? 0) + 1);
    const values = new Map<string, Tensor>();
    for (const node of nodes) {
      const inputs = node.kind === "input" ? [images] : node.inputs.map((id) => lookup(values, id));
      const value = this.#ops.scope(
        () => this.evaluateNode(node, inputs),
        (result) => [result],
      );
      values.set(node.id, value);
      for (const [index, id] of node.inputs.entries()) {
        const left = lookup(uses, id) - 1;
        uses.set(id, left);
        if (left === 0 && inputs[index] !== images) this.#ops.release(inputs[index]!);
      }
    }
    return lookup(values, output);
  }

  release(): void {
    for (const { weight, bias } of this.#parameters.values()) {
      this.#ops.release(weight);
      this.#ops.release(bias);
    }
    for (const table of this.#tables.values()) this.#ops.release(table);
  }
}
