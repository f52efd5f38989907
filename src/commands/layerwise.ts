import type { Layerwise } from "../methods/method.ts";
import type { InitialValues } from "../network/initial-values.ts";
import type { PostTraining, RunRecord } from "../runs/record.ts";
import type { StoredTensor } from "../runs/safetensors.ts";
import { createModel, type Model } from "../training/model.ts";
import { learnedOf } from "../training/outcome.ts";
import { calibrateRanges } from "../training/post-training/activation-ranges.ts";
import { readCalibrationImages } from "../training/post-training/calibration-images.ts";
import { type QuantizedLayer, quantizeLayers, setActivationBits } from "../training/post-training/quantize-layers.ts";
import { parameterValues } from "../training/snapshot.ts";
import type { Prepared } from "./prepare.ts";
import { equalize, startFrom } from "./start-from.ts";

/** Where checkpoints of a run whose layers are not all quantized have the float32 network. */
const prefix = "float/";

/**
 * The float32 network that is quantized: the weights of `training.from`, or the network file's, equalized where that is
 * asked for, batch normalization in weights and biases.
 *
 * @throws UserError when there is no checkpoint of the same network.
 */
export function loadFloat({ config, engine: { ops }, source, plain }: Prepared, { deployValues }: Layerwise): Model {
  const { seed, training } = config;
  const trained = createModel(source.network, { ops, seed, quantizers: new Map(), initial: source.initial });
  if (training.from !== undefined) startFrom(trained, training.from);
  if (training.equalize) equalize(source.network, trained);
  const initial = deployValues(source.network, { parameters: valuesOf(trained), statistics: trained.statistics });
  dispose(trained);
  return createModel(plain, { ops, seed, quantizers: new Map(), initial });
}

/** The float32 network as {@link floatTensors} has stored it. */
export function restoreFloat(
  { config, engine: { ops }, plain, model }: Prepared,
  tensors: ReadonlyMap<string, StoredTensor>,
): Model {
  const stored = Array.from(tensors).filter(([name]) => name.startsWith(prefix));
  const parameters = stored.map(([name, { values }]) => [name.slice(prefix.length), Float32Array.from(values)] as const);
  const initial: InitialValues = { parameters: new Map(parameters), statistics: model.statistics };
  return createModel(plain, { ops, seed: config.seed, quantizers: new Map(), initial });
}

export const floatTensors = (float: Model): ReadonlyMap<string, StoredTensor> =>
  new Map(
    Array.from(valuesOf(float), ([id, values]) => [
      `${prefix}${id}`,
      { shape: float.parameters.get(id)!.shape, values },
    ]),
  );

const valuesOf = (model: Model): ReadonlyMap<string, Float32Array> =>
  new Map(Array.from(model.parameters.keys(), (id) => [id, parameterValues({ model }, id)]));

function dispose({ ops, parameters }: Model): void {
  for (const variable of parameters.values()) ops.dispose(variable);
}

export interface LayerwiseHooks {
  warn(message: string): void;
  /** After each layer; throws to end there. */
  layer(postTraining: PostTraining, seconds: number): Promise<void>;
}

/**
 * Quantizes the layers that are left.
 *
 * @param before What was done before: at the start bits and ranges of activations are set.
 */
export async function quantizeInTurn(
  { config, dataset, model }: Prepared,
  layerwise: Layerwise,
  { float, before }: { readonly float: Model; readonly before: PostTraining },
  hooks: LayerwiseHooks,
): Promise<void> {
  const { seed } = config;
  const images = await readCalibrationImages(dataset, { images: layerwise.calibration.images, seed });
  const bits = new Map(Object.entries(before.bits));
  let done = before;
  if (done.layers.length === 0) {
    setActivationBits(model, bits);
    for (const id of calibrateRanges(float, model.quantizers, images, layerwise.ranges))
      hooks.warn(`${id} is zero on all calibration images: its range is set to 1; other images may be clipped`);
  }
  await quantizeLayers(
    { float, model },
    {
      layerwise,
      bits,
      images,
      seed,
      done: new Set(done.layers.map(({ name }) => name)),
      layer: async ({ seconds, ...layer }: QuantizedLayer) => {
        if (layer.dead)
          hooks.warn(`${layer.name} sees only zeros on the calibration images: its weights are fitted without them`);
        done = { ...done, images: images.count, layers: [...done.layers, layer], quantizers: quantizersNow(model) };
        await hooks.layer(done, seconds);
      },
    },
  );
}

const quantizersNow = ({ quantizers }: Model): PostTraining["quantizers"] =>
  Object.fromEntries(Array.from(quantizers, ([id, quantizer]) => [id, learnedOf(quantizer)]));

/** What the record says before the first layer. */
export function startOfLayerwise({ model }: Prepared, { bits }: Layerwise, floatTop1: number): PostTraining {
  const table = bits(model.network);
  return { images: 0, floatTop1, bits: Object.fromEntries(table), layers: [], quantizers: quantizersNow(model) };
}

/** Whether all layers are done that get codes. */
export const isQuantized = ({ quantizers }: RunRecord, { bits, layers }: PostTraining): boolean =>
  layers.length === quantizers.filter(({ id, role }) => role === "weight" && bits[id] !== 32).length;

/** The log's line of the layer that was quantized last. */
export function describeLayer({ layers }: PostTraining, seconds: number): string {
  const { name, bits, nearestError, error, flipped } = layers.at(-1)!;
  const figures = `error ${error.toPrecision(3)}, of nearest rounding ${nearestError.toPrecision(3)}`;
  return `${name}: ${bits} bits, ${figures}, ${(100 * flipped).toFixed(1)} % not the nearest, ${seconds.toFixed(1)} s`;
}

/** Puts the float32 network's values where quantized ones will come. */
export function takeFloat({ ops, parameters }: Model, float: Model): void {
  for (const [id, variable] of parameters) ops.assign(variable, parameterValues({ model: float }, id));
}
