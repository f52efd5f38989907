import { last } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { Reporter } from "../core/progress.ts";
import type { Layerwise } from "../methods/method.ts";
import type { InitialValues } from "../network/initial-values.ts";
import type { PostTraining } from "../runs/record.ts";
import type { StoredTensor } from "../runs/safetensors.ts";
import type { Metrics } from "../tasks/metric.ts";
import { calibrateRanges } from "../training/layerwise/activation-ranges.ts";
import { readCalibrationImages } from "../training/layerwise/calibration-images.ts";
import { type QuantizedLayer, quantizeLayers, setActivationBits } from "../training/layerwise/quantize-layers.ts";
import { createModel, type Model } from "../training/model.ts";
import { learnedOf } from "../training/record-entries.ts";
import { allParameterValues } from "../training/snapshot.ts";
import type { Prepared } from "./prepare.ts";
import type { SavedRun } from "./saved-run.ts";
import { equalize, startFrom } from "./start-from.ts";
import { watchProgress } from "./watch-progress.ts";

/** Where checkpoints of a run whose layers are not all quantized have the float32 network. */
const prefix = "float/";

interface LayerHooks {
  warn(message: string): void;
  /** After each layer, with what the record says then. */
  layer(postTraining: PostTraining, seconds: number): void;
  /** Between two layers: throws to end there. */
  pause(): Promise<void>;
  /** Again and again within a layer, with the layers that are quantized and the share of this one: throws to end there. */
  hear(layers: number, name: string): Promise<void>;
}

/** What a run does that quantizes a trained network: its layers in turn, with a checkpoint after each. */
export class LayerwiseRun implements Disposable {
  readonly #prepared: Prepared;
  readonly #layerwise: Layerwise;
  /** Where the layers' targets come from, as long as there are layers left. */
  #float: Model | null = null;

  constructor(prepared: Prepared, layerwise: Layerwise) {
    this.#prepared = prepared;
    this.#layerwise = layerwise;
  }

  /**
   * The weights of `training.from`, or the network file's, equalized where that is asked for, batch normalization in
   * weights and biases.
   *
   * @throws UserError when there is no checkpoint of the same network.
   */
  begin(): void {
    const { config, engine, source, model } = this.#prepared;
    const { ops } = engine;
    const { seed, training } = config;
    const trained = createModel(source.network, { ops, seed, quantizers: new Map(), initial: source.initial });
    if (training.from !== undefined) startFrom(trained, training.from);
    if (training.equalize) equalize(source.network, trained);
    const { deployValues } = this.#layerwise;
    const float = this.#create(
      deployValues(source.network, { parameters: allParameterValues(trained), statistics: trained.statistics }),
    );
    for (const variable of trained.parameters.values()) ops.dispose(variable);
    for (const [id, values] of allParameterValues(float)) ops.assign(lookup(model.parameters, id), values);
    for (const [id, { mean, variance }] of float.statistics) {
      lookup(model.statistics, id).mean.set(mean);
      lookup(model.statistics, id).variance.set(variance);
    }
    this.#float = float;
  }

  /** Takes up what a checkpoint has under {@link tensors}; where it has nothing, all layers are quantized. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    const stored = Array.from(tensors).filter(([name]) => name.startsWith(prefix));
    if (stored.length === 0) return;
    const parameters = stored.map(
      ([name, { values }]) => [name.slice(prefix.length), Float32Array.from(values)] as const,
    );
    this.#float = this.#create({ parameters: new Map(parameters), statistics: this.#prepared.model.statistics });
  }

  /** The float32 network, while it is still needed. */
  get tensors(): ReadonlyMap<string, StoredTensor> {
    const float = this.#float;
    if (float === null) return new Map();
    const shapeOf = (id: string) => lookup(float.parameters, id).shape;
    return new Map(
      Array.from(
        allParameterValues(float),
        ([id, values]) => [`${prefix}${id}`, { shape: shapeOf(id), values }] as const,
      ),
    );
  }

  /** What the record says before the first layer. @throws as `Layerwise.bits`. */
  firstRecord(floatMetrics: Metrics): PostTraining {
    const { model } = this.#prepared;
    const bits = Object.fromEntries(
      Array.from(this.#layerwise.bits(model.network), ([id, bits]) => [
        id,
        typeof bits === "number" ? bits : [...bits],
      ]),
    );
    return { images: 0, floatMetrics, bits, layers: [], quantizers: quantizersNow(model) };
  }

  /** Quantizes the layers that are left, with a checkpoint after each. */
  async run(saved: SavedRun, { progress, info }: Reporter): Promise<void> {
    using watch = watchProgress(progress, () => saved.check());
    watch.stage("quantizing", saved.record.network.layers.length);
    await this.quantize(saved.record.postTraining!, {
      warn: (message) => saved.warn(message),
      pause: () => saved.hearSignals(),
      hear: watch.done,
      layer(postTraining, seconds) {
        const { times } = saved.record;
        const layerSeconds = [...(times.layerSeconds ?? []), seconds];
        saved.record = { ...saved.record, postTraining, times: { ...times, layerSeconds } };
        saved.position = { ...saved.position, step: postTraining.layers.length };
        info(describeLayer(postTraining, seconds));
        saved.save();
      },
    });
  }

  /** Before the first layer, bits and ranges of activations are set. */
  async quantize(before: PostTraining, { warn, layer, pause, hear }: LayerHooks): Promise<void> {
    const { config, model, dataset } = this.#prepared;
    if (this.#float === null) return;
    const layerwise = this.#layerwise;
    const float = this.#float;
    const { seed } = config;
    const { images: wanted } = layerwise.calibration;
    const images = await readCalibrationImages(dataset, { images: wanted, seed });
    const bits = new Map(Object.entries(before.bits));
    if (before.layers.length === 0) {
      const there = dataset.train.count;
      if (there < wanted) warn(`calibrated on all ${there} training images: method.calibration.images is ${wanted}`);
      setActivationBits(model, bits);
      for (const id of calibrateRanges(float, model.quantizers, images, layerwise.ranges))
        warn(`${id} is zero on all calibration images: its range is set to 1, beyond which other images are clipped`);
    }
    let record = before;
    const done = new Set(before.layers.map(({ name }) => name));
    await quantizeLayers(
      { float, model },
      {
        layerwise,
        bits,
        images,
        seed,
        done,
        pause,
        hear,
        layer({ seconds, seen, ...quantized }) {
          const warning = warnings[seen];
          if (warning !== null) warn(`${quantized.name} sees ${warning}`);
          const layers = [...record.layers, { ...quantized, dead: seen === "zeros" }];
          record = { ...record, images: images.count, layers, quantizers: quantizersNow(model) };
          layer(record, seconds);
        },
      },
    );
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const variable of this.#float?.parameters.values() ?? []) this.#float?.ops.dispose(variable);
    this.#float = null;
  }

  #create(initial: InitialValues): Model {
    const { config, engine, plain } = this.#prepared;
    return createModel(plain, { ops: engine.ops, seed: config.seed, quantizers: new Map(), initial });
  }
}

/** What a layer sees that tells little of its weights. */
const warnings: { readonly [Seen in QuantizedLayer["seen"]]: string | null } = {
  zeros: "only zeros on the calibration images: its codes are fitted to its weights alone",
  "one-input":
    "one and the same input on all calibration images: its codes are fitted to that and to its weights; check the images (method.calibration)",
  inputs: null,
};

/** The log's line of the layer that was quantized last. */
function describeLayer({ layers }: PostTraining, seconds: number): string {
  const { name, bits, meanBits, nearestError, error, flipped } = last(layers);
  const figures = `error ${error.toPrecision(3)}, of nearest rounding ${nearestError.toPrecision(3)}`;
  const width = meanBits === undefined ? bits : `on average ${meanBits.toFixed(2)}`;
  return `${name}: ${width} bits, ${figures}, ${(100 * flipped).toFixed(1)} % not the nearest, ${seconds.toFixed(1)} s`;
}

const quantizersNow = ({ quantizers }: Model): PostTraining["quantizers"] =>
  Object.fromEntries(Array.from(quantizers, ([id, quantizer]) => [id, learnedOf(quantizer)]));
