import { at, first, last } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { ByteBatch, Normalization } from "../../data/dataset.ts";
import type { Tensor } from "../../engine/ops.ts";
import { readFloats } from "../../engine/read-floats.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { QuantizationParameters } from "../../graph/node-kind.ts";
import { type Network, onlyInput } from "../../kinds/index.ts";
import type { QuantizerNode } from "../../kinds/quantizer.ts";
import type { Policy } from "../../methods/autoq/search-space.ts";
import { type Layer, layersOf } from "../../network/layers.ts";
import { evaluateWeights, forward } from "../../network/passes.ts";
import { type BitWidth, bitWidths } from "../../quantization/levels.ts";
import { UNLIMITED } from "../../quantizers/gate-sample.ts";
import type { Metrics } from "../../tasks/metric.ts";
import type { Task } from "../../tasks/task.ts";
import { rangeOf, seeActivations } from "../layerwise/activation-ranges.ts";
import type { CalibrationImages } from "../layerwise/calibration-images.ts";
import type { Model } from "../model.ts";
import { passOf, soleInput } from "../pass.ts";
import { parameterValues } from "../snapshot.ts";
import { KernelCache } from "./kernel-cache.ts";

export interface PolicyEvaluatorOptions {
  /** The float32 network, batch normalization in weights and biases. */
  readonly float: Model;
  /** The same with quantizers. */
  readonly quantized: Network;
  readonly task: Task;
  /** What policies are judged on. */
  readonly images: readonly ByteBatch[];
  readonly normalization: Normalization;
  /** What ranges of activations are found from. */
  readonly calibration: CalibrationImages;
  readonly activationWidths: readonly number[];
}

/** A layer's weight on the engine, as the policy before had it. */
interface HeldWeight {
  readonly bits: Uint8Array;
  readonly tensor: Tensor;
}

/**
 * Judges policies without training: weights rounded to nearest kernel by kernel, each kernel quantized once for each
 * width; activations on grids that are calibrated once for each width. An evaluation is one forward pass over the images.
 */
export class PolicyEvaluator {
  readonly #options: PolicyEvaluatorOptions;
  readonly #layers: readonly Layer[];
  readonly #kernels: readonly KernelCache[];
  readonly #held: (HeldWeight | null)[];
  /** What the images do not change, but for the layers' weights: biases. */
  readonly #constants: ReadonlyMap<NodeId, Tensor>;
  /** Range by quantizer and width. */
  readonly #ranges: ReadonlyMap<NodeId, ReadonlyMap<number, number>>;

  constructor(options: PolicyEvaluatorOptions) {
    this.#options = options;
    const { float, quantized } = options;
    this.#layers = layersOf(quantized);
    this.#kernels = this.#layers.map(
      ({ weight, weightShape }) => new KernelCache(parameterValues(float, weight), last(weightShape)),
    );
    this.#held = this.#layers.map(() => null);
    this.#ranges = this.#calibrate();
    const { ops } = float;
    const model = { ...float, network: quantized };
    const pass = { ...passOf(model, new Map(), new Map(), { training: false }), quantizer: () => transparentGrid };
    const all = ops.scope(
      () => evaluateWeights(quantized, pass),
      (made) => [...made.values()],
    );
    const weights = new Set(this.#layers.map(({ weightQuantizer }) => weightQuantizer));
    for (const [id, tensor] of all) if (weights.has(id)) ops.release(tensor);
    this.#constants = new Map(Array.from(all).filter(([id]) => !weights.has(id)));
  }

  /** The metrics of a policy on the images; null stands for the network in float32. */
  evaluate(policy: Policy | null): Metrics {
    const { task, images } = this.#options;
    const evaluator = task.evaluator();
    for (const batch of images) evaluator.add({ ...batch, outputs: this.#outputs(policy, batch) });
    return evaluator.metrics;
  }

  /** The kernels of a layer at every width. */
  kernelsOf(layer: number): KernelCache {
    return at(this.#kernels, layer);
  }

  /** The range of what a layer reads through a quantizer, at so many bits. */
  activationRange(layer: number, bits: BitWidth): number {
    const { inputQuantizer } = at(this.#layers, layer);
    if (inputQuantizer === null) throw new RangeError(`layer ${layer} reads no quantizer`);
    return lookup(lookup(this.#ranges, inputQuantizer), bits);
  }

  dispose(): void {
    const { ops } = this.#options.float;
    for (const held of this.#held) if (held !== null) ops.release(held.tensor);
    for (const tensor of this.#constants.values()) ops.release(tensor);
  }

  #outputs(policy: Policy | null, { count, images }: ByteBatch): Float32Array {
    const { float, quantized, normalization } = this.#options;
    const { ops } = float;
    // They outlive the pass.
    const weights = policy === null ? null : this.#weights(policy);
    return ops.scope(
      () => {
        const shape = onlyInput(quantized).shape;
        const inputs = soleInput(quantized, ops.normalize(ops.tensor(images, [count, ...shape]), normalization));
        if (policy === null || weights === null) {
          const pass = passOf(float, new Map(), inputs, { training: false });
          return readFloats(ops, first(forward(float.network, pass, { keep: false }).outputs)).slice();
        }
        const grids = this.#grids(policy);
        const model = { ...float, network: quantized };
        const pass = {
          ...passOf(model, new Map(), inputs, { training: false }),
          quantizer: (id: NodeId) => grids.get(id) ?? transparentGrid,
        };
        return readFloats(ops, first(forward(quantized, pass, { keep: false, weights }).outputs)).slice();
      },
      () => [],
    );
  }

  /** Every layer's weight: made anew where its bits have changed. */
  #weights({ weights }: Policy): ReadonlyMap<NodeId, Tensor> {
    const { ops } = this.#options.float;
    const all = new Map(this.#constants);
    for (const [index, { weightShape, weightQuantizer }] of this.#layers.entries()) {
      const bits = at(weights, index);
      let held = at(this.#held, index);
      if (held === null || held.bits.some((width, output) => width !== bits[output])) {
        if (held !== null) ops.release(held.tensor);
        held = { bits: bits.slice(), tensor: ops.tensor(at(this.#kernels, index).weight(bits), weightShape) };
        this.#held[index] = held;
      }
      if (weightQuantizer !== null) all.set(weightQuantizer, held.tensor);
    }
    return all;
  }

  #grids({ activations }: Policy): ReadonlyMap<NodeId, QuantizationParameters> {
    const read = new Map(this.#layers.map(({ inputQuantizer }, index) => [inputQuantizer, at(activations, index)]));
    return new Map(
      Array.from(this.#ranges, ([id, ranges]) => {
        // What no layer reads has the widest grid.
        const bits = knownWidth(read.get(id) ?? Math.max(...ranges.keys()));
        return [id, { xMax: lookup(ranges, bits), ranges: null, terms: [{ bits, weight: 1 }], wanted: [] }];
      }),
    );
  }

  #calibrate(): ReadonlyMap<NodeId, ReadonlyMap<number, number>> {
    const { float, quantized, calibration, activationWidths } = this.#options;
    const nodes = quantized.nodes.filter(
      (node): node is QuantizerNode => node.kind === "quantizer" && node.role === "activation",
    );
    const seen = seeActivations(float, nodes, calibration, { histograms: true });
    return new Map(
      nodes.map((node) => [
        node.id,
        new Map(activationWidths.map((bits) => [bits, rangeOf(seen, node, knownWidth(bits), "mse")])),
      ]),
    );
  }
}

/** A grid so fine that nothing is rounded. */
const transparentGrid: QuantizationParameters = {
  xMax: UNLIMITED,
  ranges: null,
  terms: [{ bits: 32, weight: 1 }],
  wanted: [],
};

/** A width that activations can have. */
function knownWidth(bits: number): BitWidth {
  const known = bitWidths.find((width) => width === bits);
  if (known === undefined) throw new RangeError(`activations cannot have ${bits} bits`);
  return known;
}
