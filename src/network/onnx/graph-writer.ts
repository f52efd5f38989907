import { last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { NodeId, Shape } from "../../graph/graph.ts";
import type { RunningStatistics } from "../../graph/node-kind.ts";
import { elementsOf } from "../../graph/shape.ts";
import type { LayerGeometry } from "../../kinds/folded-norm.ts";
import type { LayerNode, Node } from "../../kinds/index.ts";
import type { Initial, ParameterNode } from "../../kinds/parameter.ts";
import type { InitialValues } from "../initial-values.ts";
import type { Allowance } from "./allowance.ts";
import { Damaged } from "./problems.ts";
import { requireUsable } from "./value.ts";

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
  /** How its parameters would be drawn. */
  readonly initial: Initial;
}

/** Collects the graph's nodes and the values that its parameters start from. */
export class GraphWriter {
  readonly input: NodeId = "input";
  /** Of the numbers that are made of the file's. */
  readonly made: Allowance;
  readonly #nodes = new Map<NodeId, Node>();
  readonly #parameters = new Map<NodeId, Float32Array>();
  readonly #statistics = new Map<NodeId, RunningStatistics>();
  readonly #open = new Map<NodeId, OpenLayer>();
  readonly #taken = new Set<string>(["input"]);
  /** The number that a name which is taken was last told apart by. */
  readonly #counts = new Map<string, number>();

  /** @param inputShape Of the images. */
  constructor(inputShape: Shape, made: Allowance) {
    this.made = made;
    this.push({ kind: "input", id: this.input, shape: inputShape, dtype: "float32" });
  }

  get nodes(): readonly Node[] {
    return [...this.#nodes.values()];
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
    const stem = clean || "node";
    let name = stem;
    while (endings.some((ending) => this.#taken.has(`${name}${ending}`))) {
      const count = (this.#counts.get(stem) ?? 1) + 1;
      this.#counts.set(stem, count);
      name = `${stem}-${count}`;
    }
    for (const ending of endings) this.#taken.add(`${name}${ending}`);
    return name;
  }

  push(node: Node): NodeId {
    this.#nodes.set(node.id, node);
    return node.id;
  }

  /** A layer with its weight, in the graph's layout; `fanIn` is what its outputs each sum up. */
  layer(
    geometry: LayerGeometry & { readonly id: NodeId },
    image: NodeId,
    weight: { readonly values: Float32Array; readonly shape: Shape; readonly fanIn: number },
  ): NodeId {
    const { id } = geometry;
    const initial: Initial = { kind: "uniform", bound: 1 / Math.sqrt(weight.fanIn) };
    const parameter = this.#parameter(`${id}.weight`, "weight", weight.shape, weight.values, initial);
    const layer: LayerNode = { ...geometry, inputs: [image, parameter] };
    this.push(layer);
    this.#open.set(id, { layer, outputs: last(weight.shape), bias: null, initial });
    return id;
  }

  /** The layer that `node` is the untouched or biased output of. */
  openLayer(node: NodeId): OpenLayer | null {
    return this.#open.get(node) ?? null;
  }

  /** Adds a bias behind a layer, or to the bias that it has. */
  bias({ layer, bias, outputs, initial }: OpenLayer, values: Float32Array): NodeId {
    const biased = `${layer.id}.biased`;
    if (bias !== null) {
      const before = lookup(this.#parameters, bias);
      const sum = values.map((value, channel) => value + before[channel]!);
      requireUsable(bias, sum);
      this.#parameters.set(bias, sum);
      return biased;
    }
    const parameter = this.#parameter(`${layer.id}.bias`, "bias", [outputs], values, initial);
    this.#open.set(biased, { layer, outputs, bias: parameter, initial });
    return this.push({ kind: "bias", id: biased, inputs: [layer.id, parameter] });
  }

  /** Multiplies a layer's weight and bias per channel. */
  scale({ layer, bias, outputs }: OpenLayer, factors: Float32Array): void {
    for (const id of bias === null ? [layer.inputs[1]] : [layer.inputs[1], bias]) {
      // Output channels are the last axis.
      this.made.take(lookup(this.#parameters, id).length);
      const scaled = lookup(this.#parameters, id).map((value, index) => value * factors[index % outputs]!);
      requireUsable(id, scaled);
      this.#parameters.set(id, scaled);
    }
  }

  /** Batch normalization, of a layer or of any other value; a bias of the layer moves the mean and is gone. */
  batchNorm(
    id: NodeId,
    source: OpenLayer | NodeId,
    values: RunningStatistics & {
      readonly scale: Float32Array;
      readonly shift: Float32Array;
      readonly epsilon: number;
    },
  ): NodeId {
    const { scale, shift, variance, epsilon } = values;
    let { mean } = values;
    if (typeof source === "object" && source.bias !== null) {
      const moved = lookup(this.#parameters, source.bias);
      mean = mean.map((value, channel) => value - moved[channel]!);
      this.#parameters.delete(source.bias);
      this.#nodes.delete(source.bias);
      this.#nodes.delete(`${source.layer.id}.biased`);
    }
    requireUsable(`${id}: running mean`, mean);
    requireUsable(`${id}: running variance`, variance);
    if (!(epsilon > 0) || variance.some((value) => value < 0))
      throw new Damaged("has a negative variance or no epsilon");
    this.#statistics.set(id, { mean, variance });
    const inputs = [
      typeof source === "object" ? source.layer.id : source,
      ...this.#perChannel(id, { scale, shift }),
    ] as const;
    return this.push({ kind: "batch-norm", id, inputs, epsilon, frozen: false });
  }

  /** A factor and a summand for each channel. */
  affine(id: NodeId, x: NodeId, values: { readonly scale: Float32Array; readonly shift: Float32Array }): NodeId {
    return this.push({ kind: "affine", id, inputs: [x, ...this.#perChannel(id, values)] });
  }

  /** Lowers the limit of a ReLU; false where `node` is none. */
  limitRelu(node: NodeId, limit: number | null): boolean {
    const found = this.#nodes.get(node);
    if (found?.kind !== "relu") return false;
    const limits = [found.limit, limit].filter((value) => value !== null);
    this.#nodes.set(node, { ...found, limit: limits.length === 0 ? null : Math.min(...limits) });
    return true;
  }

  #perChannel(id: NodeId, { scale, shift }: { scale: Float32Array; shift: Float32Array }): readonly [NodeId, NodeId] {
    return [
      this.#parameter(`${id}.scale`, "scale", [scale.length], scale, { kind: "constant", value: 1 }),
      this.#parameter(`${id}.shift`, "shift", [shift.length], shift, { kind: "constant", value: 0 }),
    ];
  }

  #parameter(id: NodeId, role: ParameterNode["role"], shape: Shape, values: Float32Array, initial: Initial): NodeId {
    if (values.length !== elementsOf(shape))
      throw new Damaged(`${id} has ${values.length} numbers, expected ${elementsOf(shape)}`);
    this.made.take(values.length);
    requireUsable(id, values);
    this.#parameters.set(id, values);
    return this.push({ kind: "parameter", id, role, shape, initial });
  }
}
