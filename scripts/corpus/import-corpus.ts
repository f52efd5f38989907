/**
 * Which files of the corpus can be trained: npm run corpus:import -- CORPUS [NAME ...]
 *
 * Takes every exported architecture and every file out of packages over and compares what the graph gives with onnxruntime on samples of its data. Says of
 * each file `taken` with the largest difference, relative to the largest value, or what is in the way.
 */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { first } from "../../src/core/elements.ts";
import { messageOf } from "../../src/core/errors.ts";
import { lookup } from "../../src/core/lookup.ts";
import { ort } from "../../src/core/onnx-runtime.ts";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Ops, Tensor } from "../../src/engine/ops.ts";
import { leastScale } from "../../src/export/verify-import.ts";
import { importGraph } from "../../src/network/onnx/import-network.ts";
import { readNetworkFile } from "../../src/network/onnx/read-network-file.ts";
import { forward } from "../../src/network/passes.ts";
import type { RuntimeTensor } from "../../src/onnx/file-session.ts";
import { createModel } from "../../src/training/model.ts";
import { passOf } from "../../src/training/pass.ts";
import { readArrays } from "./run-model.ts";

/** Samples that are compared, where the file allows several. */
const SAMPLES = 2;
/** Relative to the largest value. */
const TOLERANCE = 1e-4;

/** The largest difference between what the graph and onnxruntime make of some samples. */
async function differenceOf(file: string, data: string, ops: Ops): Promise<number> {
  const { model } = readNetworkFile(file);
  const arrays = await readArrays(data);
  const samplesOf = new Map(Array.from(arrays, ([name, { shape }]) => [name, shape.slice(1)]));
  const options = { file: basename(file), name: "network" };
  const { network, initial, inputs, outputs } = importGraph(model, options, samplesOf);
  const batches = model.graph.input.flatMap(({ type }) => {
    const dim = type?.value.case === "tensorType" ? type.value.value.shape?.dim[0]?.value : undefined;
    return dim?.case === "dimValue" && dim.value > 0n ? [Number(dim.value)] : [];
  });
  const samples = batches.length > 0 ? Math.min(...batches) : SAMPLES;
  const feeds: Record<string, RuntimeTensor> = {};
  const tensors = new Map<string, Tensor>();
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const dtypes = new Map(network.nodes.flatMap((node) => (node.kind === "input" ? [[node.id, node.dtype]] : [])));
  for (const { name, node } of inputs) {
    const { shape, type, bytes } = lookup(arrays, name);
    const dims = [samples, ...shape.slice(1)];
    const { buffer } = bytes.slice(0, (bytes.length / first(shape)) * samples);
    const isLong = type === "<i8";
    const values = isLong ? new BigInt64Array(buffer) : new Float32Array(buffer);
    feeds[name] = isLong ? new ort.Tensor("int64", values, dims) : new ort.Tensor("float32", values, dims);
    const numbers = Array.from(values, Number);
    const isTokens = lookup(dtypes, node) === "int32";
    tensors.set(node, ops.tensor(isTokens ? Int32Array.from(numbers) : Float32Array.from(numbers), dims));
  }
  const expected = await session.run(feeds);
  await session.release();
  const graph = createModel(network, { ops, seed: 1, quantizers: new Map(), initial });
  try {
    return ops.scope(
      () => {
        const found = forward(network, passOf(graph, new Map(), tensors, { training: false }), { keep: false });
        return Math.max(
          ...found.outputs.map((output, index) => {
            const right = lookup(new Map(Object.entries(expected)), outputs[index] ?? "").data as Float32Array;
            const values = ops.read(output);
            const least = Math.max(1e-30, leastScale(network));
            const largest = right.reduce((most, value) => Math.max(most, Math.abs(value)), least);
            return right.reduce((most, value, at) => Math.max(most, Math.abs(value - (values[at] ?? 0))), 0) / largest;
          }),
        );
      },
      () => [],
    );
  } finally {
    for (const variable of graph.parameters.values()) ops.dispose(variable);
  }
}

const [corpus, ...names] = process.argv.slice(2);
if (corpus === undefined) throw new Error("usage: npm run corpus:import -- CORPUS [NAME ...]");
const { ops } = await loadEngine({ threads: 1 });
for (const set of ["architectures", "packages"]) {
  const folder = join(corpus, set);
  let taken = 0;
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".onnx") && !name.startsWith("."))
    .map((name) => name.replace(/\.onnx$/, ""))
    .filter((name) => names.length === 0 || names.some((wanted) => name.startsWith(wanted)));
  for (const name of files.toSorted()) {
    try {
      const difference = await differenceOf(join(folder, `${name}.onnx`), join(corpus, "data", `${name}.npz`), ops);
      const agrees = difference <= TOLERANCE;
      if (agrees) taken++;
      console.log(`${name}: ${agrees ? "taken" : "DIFFERS"} (${difference.toExponential(1)})`);
    } catch (error) {
      console.log(`${name}: ${messageOf(error).replace(/\nknown operators: .*$/s, "")}`);
    }
  }
  console.log(`${set}: ${taken} of ${files.length} files are taken and agree`);
}
