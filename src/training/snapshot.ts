import { at, first } from "../core/elements.ts";
import { UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import { tuple } from "../core/tuple.ts";
import { readFloats } from "../engine/read-floats.ts";
import { elementsOf } from "../graph/shape.ts";
import { codedEmbeddingsOf } from "../network/coded-embeddings.ts";
import { layersOf } from "../network/layers.ts";
import { CodebookQuantizer } from "../quantizers/codebook-quantizer.ts";
import { GridQuantizer, storedGridBits } from "../quantizers/grid-quantizer.ts";
import { rangeFloor } from "../quantizers/range.ts";
import type { StoredTensor } from "../runs/safetensors.ts";
import type { Model } from "./model.ts";
import type { MomentPair } from "./optimizer.ts";
import { type Phase, phaseAt } from "./phases.ts";
import type { Trainer } from "./trainer.ts";

/** All that training changes, by name: parameters, gates, ranges, grids and the optimizers' moments. */
export function takeSnapshot(trainer: Trainer): ReadonlyMap<string, StoredTensor> {
  const { inPhase: model } = trainer;
  const tensors = new Map<string, StoredTensor>();
  const put = (name: string, values: Float32Array | Float64Array, shape: readonly number[] = [values.length]) =>
    tensors.set(name, { shape, values });
  for (const [id, { shape }] of model.parameters) put(`parameter/${id}`, parameterValues(model, id), shape);
  for (const [id, { stored, floor }] of model.quantizers) {
    for (const [name, values] of stored) put(`${name}/${id}`, values);
    if (at(floor, 0) < rangeFloor) put(`floor/${id}`, floor);
  }
  for (const [id, { mean, variance }] of model.statistics) {
    put(`statistics/mean/${id}`, mean);
    put(`statistics/variance/${id}`, variance);
  }
  for (const [id, { codes, changed }] of model.codes) {
    put(`codes/frozen/${id}`, Float32Array.from(codes));
    put(`codes/changed/${id}`, Float64Array.of(changed));
  }
  put("trainer/updates", Float64Array.of(trainer.updates));
  put("trainer/strength", trainer.strength.state);
  for (const group of ["weights", "codebooks", "gates", "ranges"] as const) {
    for (const [name, [first, second]] of trainer[group].moments) {
      put(`${group}/first/${name}`, first);
      if (second) put(`${group}/second/${name}`, second);
    }
  }
  return tensors;
}

/** Current values of one parameter. */
export function parameterValues({ ops, parameters }: Pick<Model, "ops" | "parameters">, id: string): Float32Array {
  return ops.scope(
    () => readFloats(ops, ops.value(lookup(parameters, id))),
    () => [],
  );
}

/** Current values of all parameters. */
export const allParameterValues = (model: Pick<Model, "ops" | "parameters">): ReadonlyMap<string, Float32Array> =>
  new Map(Array.from(model.parameters.keys(), (id) => [id, parameterValues(model, id)]));

/**
 * Puts a snapshot back, and the trainer into the phase in which it was taken.
 *
 * @throws UserError that names a tensor that is missing or has another size.
 */
export function restoreSnapshot(
  { trainer, phases }: { readonly trainer: Trainer; readonly phases: readonly Phase[] },
  tensors: ReadonlyMap<string, StoredTensor>,
  { step, epoch }: { readonly step: number; readonly epoch: number },
): void {
  trainer.enter(phaseAt(phases, epoch));
  const { inPhase: model } = trainer;
  const take = (name: string, length: number) => {
    const values = tensors.get(name)?.values;
    if (values?.length !== length) {
      throw new UserError(
        `the checkpoint does not fit the configuration: ${name} should have ${length} numbers, it has ${values?.length ?? "none"}`,
      );
    }
    return values;
  };
  for (const [id, variable] of model.parameters) {
    const length = elementsOf(variable.shape);
    model.ops.assign(variable, Float32Array.from(take(`parameter/${id}`, length)));
  }
  const layers = new Map(layersOf(model.network).map((layer) => [layer.weightQuantizer, layer]));
  for (const [id, quantizer] of model.quantizers) {
    const steps = tensors.get(`grid/steps/${id}`)?.values;
    if (steps !== undefined) {
      const bits = storedGridBits(Array.from(tensors.get(`grid/bits/${id}`)?.values ?? []), steps.length);
      if (bits === null) throw new UserError(`the checkpoint is damaged: grid/bits/${id} are no bit-widths`);
      model.quantizers.set(id, new GridQuantizer(quantizer, { bits, steps: Float32Array.from(steps) }));
    }
    const block = tensors.get(`codebook/block/${id}`)?.values[0];
    if (block !== undefined) {
      const layer = lookup(layers, id);
      const codes = Uint16Array.from(take(`codebook/codes/${id}`, elementsOf(layer.weightShape) / block));
      const codebook = Float64Array.from(tensors.get(`codebook/centroids/${id}`)?.values ?? []);
      if (codebook.length === 0 || codes.some((code) => code >= codebook.length / block))
        throw new UserError(
          `the checkpoint is damaged: codebook/codes/${id} name blocks that the codebook does not have`,
        );
      model.quantizers.set(id, new CodebookQuantizer(quantizer, { blockSize: block, codes, codebook }, { layer }));
    }
    quantizer.floor.set(tensors.get(`floor/${id}`)?.values ?? [rangeFloor]);
    for (const [name, values] of quantizer.stored) values.set(take(`${name}/${id}`, values.length));
  }
  for (const [id, { mean, variance }] of model.statistics) {
    mean.set(take(`statistics/mean/${id}`, mean.length));
    variance.set(take(`statistics/variance/${id}`, variance.length));
  }
  model.codes.clear();
  for (const { node, vocabulary } of codedEmbeddingsOf(model.network)) {
    if (!tensors.has(`codes/frozen/${node.id}`)) continue;
    const codes = Int32Array.from(take(`codes/frozen/${node.id}`, vocabulary * node.groups));
    model.codes.set(node.id, { codes, changed: first(take(`codes/changed/${node.id}`, 1)) });
  }
  [trainer.updates] = tuple(take("trainer/updates", 1), 1);
  trainer.strength.state.set(take("trainer/strength", trainer.strength.state.length));
  for (const group of ["weights", "codebooks", "gates", "ranges"] as const) {
    const moments = new Map<string, MomentPair>();
    for (const [name, { values }] of tensors) {
      if (name.startsWith(`${group}/first/`)) {
        const owner = name.slice(`${group}/first/`.length);
        moments.set(owner, [values, tensors.get(`${group}/second/${owner}`)?.values ?? null]);
      }
    }
    trainer[group].restore(moments);
  }
  trainer.step = step;
}
