import { at, first } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { ByteBatch, Normalization } from "../../data/dataset.ts";
import type { Tensor } from "../../engine/ops.ts";
import { readFloats } from "../../engine/read-floats.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { QuantizationParameters } from "../../graph/node-kind.ts";
import type { Network } from "../../kinds/index.ts";
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
import { networkInput } from "../network-input.ts";
import { passOf, soleInput } from "../pass.ts";
import { parameterValues } from "../snapshot.ts";
import { KernelCache } from "./kernel-cache.ts";

export interface PolicyEvaluatorOptions {
  /** The float32 network, batch normalization in weights and biases. */
  readonly float: Model;
  /** The same with quantizers. */
  readonly quantized: Network;
  readonly task: Task;
  /** The nodes whose channels go with those of a weight, by its quantizer (`gatedNodes` of the network that trains). */
  readonly gated: ReadonlyMap<NodeId, readonly NodeId[]>;
  /** What policies are judged on. */
  readonly images: readonly ByteBatch[];
  readonly normalization: Normalization | null;
  /** What ranges of activations are found from. */
  readonly calibration: CalibrationImages;
  readonly activationWidths: readonly number[];
}

/** How an activation is quantized. */
export interface ActivationGrid {
  readonly bits: BitWidth;
  readonly xMax: number;
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
    this.#kernels = this.#layers.map((layer) => new KernelCache(layer, parameterValues(float, layer.weight)));
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

  /** The grid of every activation's quantizer: at the width of the layer that reads it, and the widest where none does. */
  gridsOf({ activations }: Policy): ReadonlyMap<NodeId, ActivationGrid> {
    const read = new Map(this.#layers.map(({ inputQuantizer }, index) => [inputQuantizer, at(activations, index)]));
    return new Map(
      Array.from(this.#ranges, ([id, ranges]) => {
        const bits = knownWidth(read.get(id) ?? Math.max(...ranges.keys()));
        return [id, { bits, xMax: lookup(ranges, bits) }];
      }),
    );
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
        const inputs = soleInput(
          quantized,
          networkInput({ ops, network: quantized }, { count, images }, normalization),
        );
        if (policy === null || weights === null) {
          const pass = passOf(float, new Map(), inputs, { training: false });
          return readFloats(ops, first(forward(float.network, pass, { keep: false }).outputs)).slice();
        }
        const grids = this.gridsOf(policy);
        const factors = this.#factors(policy);
        const model = { ...float, network: quantized };
        const pass = {
          ...passOf(model, new Map(), inputs, { training: false }),
          quantizer: (id: NodeId) => parametersOf(lookup(grids, id)),
          factor: (id: NodeId) => factors.get(id) ?? null,
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

  /** What else is zero in a channel of 0 bits: as in training, what is left of its batch normalization, or its bias. */
  #factors({ weights }: Policy): ReadonlyMap<NodeId, Tensor> {
    const { float, gated } = this.#options;
    const factors = new Map<NodeId, Tensor>();
    for (const [index, { weightQuantizer }] of this.#layers.entries()) {
      if (weightQuantizer === null) continue;
      const kept = Float32Array.from(at(weights, index), (bits) => (bits === 0 ? 0 : 1));
      for (const id of gated.get(weightQuantizer) ?? []) {
        if (id !== weightQuantizer) factors.set(id, float.ops.tensor(kept, [kept.length]));
      }
    }
    return factors;
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
const transparentGrid = parametersOf({ bits: 32, xMax: UNLIMITED });

function parametersOf({ bits, xMax }: ActivationGrid): QuantizationParameters {
  return { xMax, ranges: null, terms: [{ bits, weight: 1 }], wanted: [] };
}

/** A width that activations can have. */
function knownWidth(bits: number): BitWidth {
  const known = bitWidths.find((width) => width === bits);
  if (known === undefined) throw new RangeError(`activations cannot have ${bits} bits`);
  return known;
}
