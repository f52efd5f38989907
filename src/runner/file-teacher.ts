import { basename, extname } from "node:path";
import { first } from "../core/elements.ts";
import { UserError } from "../core/errors.ts";
import type { Dataset, TokenDescription } from "../data/dataset.ts";
import { numberBytes } from "../data/sample-numbers.ts";
import type { Ops } from "../engine/ops.ts";
import { DatasetModel } from "../export/dataset-model.ts";
import { verifyImport } from "../export/verify-import.ts";
import { elementsOf } from "../graph/shape.ts";
import { networkDataOf } from "../network/load-network.ts";
import type { Head } from "../network/onnx/file-outputs.ts";
import { importNetwork } from "../network/onnx/import-network.ts";
import { type NetworkFile, readNetworkFile } from "../network/onnx/read-network-file.ts";
import type { Model as OnnxModel } from "../onnx/onnx-model.ts";
import type { DistilledHead } from "../tasks/distillation/distance-of-heads.ts";
import type { Task } from "../tasks/task.ts";
import type { Teacher } from "../training/float-teacher.ts";
import { createModel } from "../training/model.ts";
import { networkOutputs } from "../training/network-outputs.ts";

const setting = "training.loss.teacher";

interface TaughtData extends Pick<Dataset, "name" | "imageShape" | "normalization" | "targets"> {
  readonly tokens?: TokenDescription;
}

interface OpenOptions {
  readonly data: TaughtData;
  /** The student's. */
  readonly task: Pick<Task, "outputs" | "softmax">;
  /** Where it gives several outputs side by side. */
  readonly heads?: readonly DistilledHead[] | undefined;
  readonly ops: Ops;
  readonly threads?: number | undefined;
}

/** A teacher that an ONNX file is. */
export interface FileTeacher extends Teacher, AsyncDisposable {
  readonly file: NetworkFile;
}

/**
 * Opens an ONNX file as a teacher: run by our own kernels where the file imports, else by onnxruntime.
 *
 * @throws UserError when it cannot be read or run, does not take these samples, gives other outputs than the student, or
 * probabilities where that gives values.
 */
export async function openFileTeacher(path: string, options: OpenOptions): Promise<FileTeacher> {
  const { model, bytes, file } = readNetworkFile(path, setting);
  const teacher =
    (await importedTeacher(path, { model, bytes }, options)) ?? (await runtimeTeacher(path, model, options));
  try {
    await requireSameOutputs(path, teacher, options);
  } catch (error) {
    await teacher[Symbol.asyncDispose]();
    throw error;
  }
  return { ...teacher, file };
}

async function requireSameOutputs(
  path: string,
  teacher: OpenedTeacher,
  { data, task: { outputs, softmax }, heads }: OpenOptions,
): Promise<void> {
  if (heads !== undefined) {
    const [own, students] = [teacher.heads, heads].map((all) => JSON.stringify(all));
    if (own === students) return;
    const sizes = (all: readonly DistilledHead[]) => all.map(({ size }) => size).join(" and ");
    throw new UserError(
      `${setting} ${path} gives ${sizes(teacher.heads)} values for each sample, the network that learns from it outputs of ${sizes(heads)}: take a file that imports, with the same outputs in the same order, each with or without a softmax`,
    );
  }
  if (teacher.heads.some(({ isSoftmax }) => isSoftmax) && softmax === null) {
    throw new UserError(
      `${setting} ${path} ends in a softmax, which gives probabilities of classes, and the network that learns from it gives values: take the softmax off, or another teacher`,
    );
  }
  const bytesOfSample = elementsOf(data.imageShape) * numberBytes(data);
  const given = await teacher.outputs({ count: 1, images: new Uint8Array(bytesOfSample) });
  if (given.length === outputs) return;
  throw new UserError(
    `${setting} ${path} gives ${given.length} values for each sample, the network that learns from it ${outputs}: take a teacher of the same outputs`,
  );
}

interface OpenedTeacher extends Teacher, AsyncDisposable {
  /** Its outputs; a softmax may be a logarithm's too. */
  readonly heads: readonly DistilledHead[];
}

/** Null where the file is none that imports. */
async function importedTeacher(
  path: string,
  { model, bytes }: { readonly model: OnnxModel; readonly bytes: Uint8Array },
  { data, task, heads, ops, threads }: OpenOptions,
): Promise<OpenedTeacher | null> {
  const samples = networkDataOf(data, task.outputs);
  try {
    const name = basename(path, extname(path));
    const imported = importNetwork(model, {
      ...samples,
      file: path,
      name,
      outputKind: heads === undefined ? "classes" : "values",
    });
    const shape = { inputShape: data.imageShape, classes: task.outputs };
    await verifyImport({ ...imported, ...shape, path, bytes }, ops, { threads });
    const { network, initial } = imported;
    const teacher = createModel(network, { ops, seed: 0, quantizers: new Map(), initial });
    return {
      heads: imported.outputs.map(distilledHead),
      outputs: async (batch) => networkOutputs(teacher, batch, data.normalization),
      async [Symbol.asyncDispose]() {
        for (const variable of teacher.parameters.values()) ops.dispose(variable);
      },
    };
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** How an output of a file is learned. */
export const distilledHead = ({ size, ending }: Head): DistilledHead => ({ size, isSoftmax: ending !== null });

async function runtimeTeacher(
  path: string,
  model: OnnxModel,
  { data, task, threads }: OpenOptions,
): Promise<OpenedTeacher> {
  const loaded = await DatasetModel.open(path, data, { threads });
  const ending = lastOperator(model);
  const isProbability = ending === "Softmax";
  return {
    heads: [{ size: task.outputs, isSoftmax: isProbability || ending === "LogSoftmax" }],
    async outputs(batch) {
      const values = Float32Array.from(await loaded.outputs(batch));
      return isProbability ? values.map((value) => Math.log(Math.max(value, leastProbability))) : values;
    },
    [Symbol.asyncDispose]: () => loaded.release(),
  };
}

/** Smaller probabilities count as this: their logarithm would be no number. */
const leastProbability = 1e-30;

/** Operators that give the numbers that they read. */
const passing: readonly string[] = [
  "Identity",
  "Dropout",
  "Cast",
  "Reshape",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Transpose",
];

/** The operator that makes the numbers of the file's output: of a Softmax, the logarithms are logits. */
function lastOperator({ graph }: OnnxModel): string | undefined {
  let { name } = first(graph.output);
  // Each is read once: a file may go round in a circle.
  for (const _ of graph.node) {
    const maker = graph.node.find(({ output }) => output.includes(name));
    if (maker === undefined || !passing.includes(maker.opType)) return maker?.opType;
    name = maker.input[0] ?? "";
  }
  return undefined;
}
