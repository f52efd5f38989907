import type { NodeId, Shape } from "../../graph/graph.ts";
import type { RunningStatistics } from "../../graph/node-kind.ts";
import { elementsOf } from "../../graph/shape.ts";
import type { LayerGeometry } from "../../kinds/folded-norm.ts";
import type { LayerNode, Node } from "../../kinds/index.ts";
import type { Initial, ParameterNode } from "../../kinds/parameter.ts";
import type { InitialValues } from "../initial-values.ts";
import { Damaged } from "./problems.ts";

/** What other nodes are named after a node, here and where quantizers are added. */
const endings = [
  "",
  ".weight",
  ".bias",
  ".biased",
  ".scale",
  ".shift",
  ".quantizer",
  ".weight.quantizer",
  ".weight.folded",
];
const MAX_NAME = 100;

/** A layer whose output has not been touched but by a bias. */
export interface OpenLayer {
  readonly layer: LayerNode;
  readonly outputs: number;
  readonly bias: NodeId | null;
}

/** Collects the graph's nodes and the values that its parameters start from. */
export class GraphWriter {
  readonly input: NodeId = "input";
  #nodes: Node[];
  readonly #parameters = new Map<NodeId, Float32Array>();
  readonly #statistics = new Map<NodeId, RunningStatistics>();
  readonly #open = new Map<NodeId, OpenLayer>();
  readonly #taken = new Set<string>(["input"]);

  /** @param inputShape Of the images. */
  constructor(inputShape: Shape) {
    this.#nodes = [{ kind: "input", id: this.input, shape: inputShape, dtype: "float32" }];
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  get initial(): InitialValues {
    return { parameters: this.#parameters, statistics: this.#statistics };
  }

  /** A name of the graph made of one of the file's: dotted, short, and nobody else's. */
  name(wish: string): string {
    const clean = wish
      .replace(/[^\p{L}\p{N}_.-]+/gu, ".")
      .replace(/\.{2,}/g, ".")
      .replace(/^\.|\.$/g, "")
      .slice(-MAX_NAME);
    let name = clean || "node";
    for (let count = 2; endings.some((ending) => this.#taken.has(`${name}${ending}`)); count++)
      name = `${clean}-${count}`;
    for (const ending of endings) this.#taken.add(`${name}${ending}`);
    return name;
  }

  push(node: Node): NodeId {
    this.#nodes.push(node);
    return node.id;
  }

  /** A layer with its weight, in the graph's layout; `fanIn` is what its outputs each sum up. */
  layer(
    geometry: LayerGeometry & { readonly id: NodeId },
    image: NodeId,
    weight: { readonly values: Float32Array; readonly shape: Shape; readonly fanIn: number },
  ): NodeId {
    const { id } = geometry;
    const bound = 1 / Math.sqrt(weight.fanIn);
    const parameter = this.#parameter(`${id}.weight`, "weight", weight.shape, weight.values, {
      kind: "uniform",
      bound,
    });
    const layer: LayerNode = { ...geometry, inputs: [image, parameter] };
    this.push(layer);
    this.#open.set(id, { layer, outputs: weight.shape.at(-1)!, bias: null });
    return id;
  }

  /** The layer that `node` is the untouched or biased output of. */
  openLayer(node: NodeId): OpenLayer | null {
    return this.#open.get(node) ?? null;
  }

  /** Adds a bias behind a layer, or to the bias that it has. */
  bias({ layer, bias, outputs }: OpenLayer, values: Float32Array): NodeId {
    const biased = `${layer.id}.biased`;
    if (bias !== null) {
      const before = this.#parameters.get(bias)!;
      const sum = values.map((value, channel) => value + before[channel]!);
      requireFinite(bias, sum);
      this.#parameters.set(bias, sum);
      return biased;
    }
    const { initial } = this.#nodes.find(({ id }) => id === layer.inputs[1]) as ParameterNode;
    const parameter = this.#parameter(`${layer.id}.bias`, "bias", [outputs], values, initial);
    this.#open.set(biased, { layer, outputs, bias: parameter });
    return this.push({ kind: "bias", id: biased, inputs: [layer.id, parameter] });
  }

  /** Multiplies a layer's weight and bias per channel. */
  scale({ layer, bias, outputs }: OpenLayer, factors: Float32Array): void {
    for (const id of bias === null ? [layer.inputs[1]] : [layer.inputs[1], bias]) {
      // Output channels are the last axis.
      const scaled = this.#parameters.get(id)!.map((value, index) => value * factors[index % outputs]!);
      requireFinite(id, scaled);
      this.#parameters.set(id, scaled);
    }
  }

  /** Batch normalization behind a layer; a bias before it moves the mean and is gone. */
  batchNorm(
    id: NodeId,
    { layer, bias, outputs }: OpenLayer,
    values: RunningStatistics & {
      readonly scale: Float32Array;
      readonly shift: Float32Array;
      readonly epsilon: number;
    },
  ): NodeId {
    const { scale, shift, variance, epsilon } = values;
    let { mean } = values;
    if (bias !== null) {
      const moved = this.#parameters.get(bias)!;
      mean = mean.map((value, channel) => value - moved[channel]!);
      this.#parameters.delete(bias);
      this.#nodes = this.#nodes.filter((node) => node.id !== bias && node.id !== `${layer.id}.biased`);
    }
    requireFinite(`${id}: running mean`, mean);
    requireFinite(`${id}: running variance`, variance);
    if (!(epsilon > 0) || variance.some((value) => value < 0))
      throw new Damaged("has a negative variance or no epsilon");
    this.#statistics.set(id, { mean, variance });
    const inputs = [
      layer.id,
      this.#parameter(`${id}.scale`, "scale", [outputs], scale, { kind: "constant", value: 1 }),
      this.#parameter(`${id}.shift`, "shift", [outputs], shift, { kind: "constant", value: 0 }),
    ] as const;
    return this.push({ kind: "batch-norm", id, inputs, epsilon, frozen: false });
  }

  /** Lowers the limit of a ReLU; false where `node` is none. */
  limitRelu(node: NodeId, limit: number | null): boolean {
    const index = this.#nodes.findIndex(({ id }) => id === node);
    const found = this.#nodes[index];
    if (found?.kind !== "relu") return false;
    const limits = [found.limit, limit].filter((value) => value !== null);
    this.#nodes[index] = { ...found, limit: limits.length === 0 ? null : Math.min(...limits) };
    return true;
  }

  #parameter(id: NodeId, role: ParameterNode["role"], shape: Shape, values: Float32Array, initial: Initial): NodeId {
    if (values.length !== elementsOf(shape))
      throw new Damaged(`${id} has ${values.length} numbers, expected ${elementsOf(shape)}`);
    requireFinite(id, values);
    this.#parameters.set(id, values);
    return this.push({ kind: "parameter", id, role, shape, initial });
  }
}

function requireFinite(what: string, values: Float32Array): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw new Damaged(`${what} holds ${values[index]} (number ${index} of ${values.length})`);
}
