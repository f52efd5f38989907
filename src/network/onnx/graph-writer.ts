import { at, first, last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { NodeId, Shape } from "../../graph/graph.ts";
import type { RunningStatistics } from "../../graph/node-kind.ts";
import { elementsOf } from "../../graph/shape.ts";
import type { LayerGeometry } from "../../kinds/folded-norm.ts";
import type { LayerNode } from "../../kinds/index.ts";
import type { Initial, ParameterNode } from "../../kinds/parameter.ts";
import type { InitialValues } from "../initial-values.ts";
import type { Allowance } from "./allowance.ts";
import { GraphNodes } from "./graph-nodes.ts";
import { Damaged, Unsupported } from "./problems.ts";
import { requireUsable } from "./value.ts";

/** A layer whose output has not been touched but by a bias. */
export interface OpenLayer {
  readonly layer: LayerNode;
  readonly outputs: number;
  readonly bias: NodeId | null;
  /** How its parameters would be drawn. */
  readonly initial: Initial;
}

/** Collects the graph's nodes and the values that its parameters start from. */
export class GraphWriter extends GraphNodes {
  /** Of the numbers that are made of the file's. */
  readonly made: Allowance;
  readonly #parameters = new Map<NodeId, Float32Array>();
  readonly #statistics = new Map<NodeId, RunningStatistics>();
  readonly #open = new Map<NodeId, OpenLayer>();

  constructor(made: Allowance) {
    super();
    this.made = made;
  }

  get initial(): InitialValues {
    return { parameters: this.#parameters, statistics: this.#statistics };
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
      this.remove(source.bias);
      this.remove(`${source.layer.id}.biased`);
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

  /** A factor or a summand of any shape that is repeated to that of x; a constant one is not trained. */
  shaped(
    id: NodeId,
    x: NodeId,
    {
      what,
      values,
      shape,
      isConstant,
    }: { what: "scale" | "shift"; values: Float32Array; shape: Shape; isConstant: boolean },
  ): NodeId {
    const initial: Initial = { kind: "constant", value: what === "scale" ? 1 : 0 };
    const own = this.#parameter(`${id}.${what}`, isConstant ? "constant" : what, shape, values, initial);
    const [other, neutral] = what === "scale" ? (["shift", 0] as const) : (["scale", 1] as const);
    const rest = this.#parameter(`${id}.${other}`, "constant", [1], Float32Array.of(neutral), {
      kind: "constant",
      value: neutral,
    });
    const inputs = what === "scale" ? ([x, own, rest] as const) : ([x, rest, own] as const);
    return this.push({ kind: "affine", id, inputs, shaped: true });
  }

  /** Adds to the summand of a node that `shaped` made, where it is trained and has this shape; false where it is none. */
  shiftAgain(node: NodeId, values: Float32Array, shape: Shape): boolean {
    const found = this.find(node);
    if (found?.kind !== "affine" || found.shaped !== true) return false;
    const shift = this.find(found.inputs[2]);
    if (shift?.kind !== "parameter" || shift.role !== "shift" || `${shift.shape}` !== `${shape}`) return false;
    const before = lookup(this.#parameters, shift.id);
    const sum = values.map((value, index) => value + at(before, index));
    requireUsable(shift.id, sum);
    this.#parameters.set(shift.id, sum);
    return true;
  }

  /** Rows normalised; scale and shift are 1 and 0 until `scaleNorm` and `shiftNorm` say otherwise. */
  layerNorm(id: NodeId, x: NodeId, epsilon: number): NodeId {
    const units = last(this.shapeOf(x));
    const values = { scale: new Float32Array(units).fill(1), shift: new Float32Array(units) };
    return this.push({ kind: "layer-norm", id, inputs: [x, ...this.#perChannel(id, values)], epsilon });
  }

  /** Multiplies, or adds to, what a layer normalization gives; false where `node` is none. */
  changeNorm(node: NodeId, { scale, shift }: { scale?: Float32Array; shift?: Float32Array }): boolean {
    const found = this.find(node);
    if (found?.kind !== "layer-norm") return false;
    for (const id of found.inputs.slice(1)) {
      const isShift = id === found.inputs[2];
      const changed = lookup(this.#parameters, id).map((value, unit) => {
        const scaled = scale === undefined ? value : value * at(scale, unit);
        return isShift && shift !== undefined ? scaled + at(shift, unit) : scaled;
      });
      requireUsable(id, changed);
      this.#parameters.set(id, changed);
    }
    return true;
  }

  /** Says that an input holds the numbers of tokens. @throws Unsupported where it is computed. */
  readTokens(node: NodeId): void {
    const found = this.find(node);
    if (found?.kind !== "input") throw new Unsupported("it picks rows by what is computed, expected an input");
    this.replace({ ...found, dtype: "int32" });
  }

  /** Rows of a table by integers that go into the network. */
  embedding(id: NodeId, tokens: NodeId, values: Float32Array, shape: Shape): NodeId {
    const bound = Math.sqrt(6 / (first(shape) + last(shape)));
    const weight = this.#parameter(`${id}.weight`, "weight", shape, values, { kind: "uniform", bound });
    return this.push({ kind: "embedding", id, inputs: [tokens, weight] });
  }

  /** Lowers the limit of a ReLU; false where `node` is none. */
  limitRelu(node: NodeId, limit: number | null): boolean {
    const found = this.find(node);
    if (found?.kind !== "relu") return false;
    const limits = [found.limit, limit].filter((value) => value !== null);
    this.replace({ ...found, limit: limits.length === 0 ? null : Math.min(...limits) });
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
