import { sha256Of } from "../core/file-hash.ts";
import { lookup } from "../core/lookup.ts";
import type { ByteBatch, Dataset } from "../data/dataset.ts";
import type { Variable } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { RunningStatistics } from "../graph/node-kind.ts";
import type { Network } from "../kinds/index.ts";
import { layersOf } from "../network/layers.ts";
import type { StoredTensor } from "../runs/safetensors.ts";
import type { Model } from "./model.ts";
import { networkOutputs } from "./network-outputs.ts";
import { parameterValues } from "./snapshot.ts";

/** Where checkpoints have it; those of codebooks from before there were other teachers. */
const [prefix, formerPrefix] = ["teacher", "float"] as const;

/** Gives outputs for others to learn. */
export interface Teacher {
  /** [count, outputs], row after row. */
  outputs(batch: Pick<ByteBatch, "count" | "images">): Promise<Float32Array>;
}

/** A network in float32 as a run began with it: what the same network learns from as it is quantized. */
export class FloatTeacher implements Teacher, Disposable {
  readonly #student: Model;
  readonly #network: Network;
  readonly #data: Pick<Dataset, "imageShape" | "normalization">;
  /** What changes as the student learns; the rest are its own parameters. */
  readonly #parameters: ReadonlyMap<NodeId, Variable>;
  readonly #statistics: ReadonlyMap<NodeId, RunningStatistics>;

  /**
   * @param network That without quantizers, of the student's parameters.
   */
  constructor(student: Model, network: Network, data: Pick<Dataset, "imageShape" | "normalization">) {
    this.#student = student;
    this.#network = network;
    this.#data = data;
    const { ops, parameters, statistics } = student;
    this.#parameters = new Map(
      changing(student).map((id) => [
        id,
        ops.variable(`${prefix}/${id}`, parameterValues(student, id), lookup(parameters, id).shape),
      ]),
    );
    this.#statistics = new Map(
      Array.from(statistics, ([id, { mean, variance }]) => [id, { mean: mean.slice(), variance: variance.slice() }]),
    );
  }

  [Symbol.dispose](): void {
    for (const variable of this.#parameters.values()) this.#student.ops.dispose(variable);
  }

  /** Takes the student as it stands. */
  take(): void {
    this.#set((id) => parameterValues(this.#student, id), this.#student.statistics);
  }

  async outputs(batch: Pick<ByteBatch, "count" | "images">): Promise<Float32Array> {
    const parameters = new Map([...this.#student.parameters, ...this.#parameters]);
    const model: Model = {
      ...{ ...this.#student, network: this.#network, parameters, statistics: this.#statistics },
      ...{ quantizers: new Map(), codes: new Map() },
    };
    return networkOutputs(model, batch, this.#data.normalization);
  }

  /** Of all that decides its outputs, in lower-case hexadecimal. */
  get sha256(): string {
    const { ops, parameters } = this.#student;
    const all = { ops, parameters: new Map([...parameters, ...this.#parameters]) };
    const values = [
      ...Array.from(all.parameters.keys(), (id) => parameterValues(all, id)),
      ...Array.from(this.#statistics.values()).flatMap(({ mean, variance }) => [mean, variance]),
    ];
    const bytes = values.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
    return sha256Of([Buffer.from(JSON.stringify(this.#network)), ...bytes]);
  }

  get tensors(): ReadonlyMap<string, StoredTensor> {
    const { ops } = this.#student;
    const stored = (name: string, values: Float32Array) =>
      [`${prefix}/${name}`, { shape: [values.length], values }] as const;
    return new Map([
      ...Array.from(this.#parameters.keys(), (id) =>
        stored(id, parameterValues({ ops, parameters: this.#parameters }, id)),
      ),
      ...Array.from(this.#statistics).flatMap(([id, { mean, variance }]) => [
        stored(`${id}/mean`, mean),
        stored(`${id}/variance`, variance),
      ]),
    ]);
  }

  /** Takes up what a checkpoint has under {@link tensors}. */
  restore(tensors: ReadonlyMap<string, StoredTensor>): void {
    const valuesOf = (name: string) =>
      Float32Array.from((tensors.get(`${prefix}/${name}`) ?? lookup(tensors, `${formerPrefix}/${name}`)).values);
    const statistics = Array.from(
      this.#statistics.keys(),
      (id) => [id, { mean: valuesOf(`${id}/mean`), variance: valuesOf(`${id}/variance`) }] as const,
    );
    this.#set(valuesOf, new Map(statistics));
  }

  #set(valuesOf: (id: NodeId) => Float32Array, statistics: ReadonlyMap<NodeId, RunningStatistics>): void {
    for (const [id, variable] of this.#parameters) this.#student.ops.assign(variable, valuesOf(id));
    for (const [id, { mean, variance }] of statistics) {
      lookup(this.#statistics, id).mean.set(mean);
      lookup(this.#statistics, id).variance.set(variance);
    }
  }
}

/** Parameters that are others at the end: what learns, or where nothing does the biases, which are set right. */
function changing({ network, parameters, learning }: Model): readonly NodeId[] {
  if (learning === undefined) return [...parameters.keys()];
  const biases = layersOf(network).flatMap(({ shift }) => (shift?.kind === "bias" ? [shift.inputs[1]] : []));
  return [...new Set([...learning, ...biases])];
}
