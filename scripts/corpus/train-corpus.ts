/**
 * Networks out of packages that learn their bits: npm run corpus:train -- CORPUS [NAME ...]
 *
 * Trains files of the corpus that have one input, or the inputs of a text encoder, for 50 steps against their own outputs on the
 * corpus' samples, within 10 % of the bit operations, exports and verifies them. Says of each what came of it.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, first } from "../../src/core/elements.ts";
import { messageOf } from "../../src/core/errors.ts";
import { lookup } from "../../src/core/lookup.ts";
import type { NpyArray } from "../../src/data/formats/numpy/npz.ts";
import { inputOf } from "../../src/network/onnx/model-graph.ts";
import { readNetworkFile } from "../../src/network/onnx/read-network-file.ts";
import { textRoles } from "../../src/network/onnx/text-roles.ts";
import { bytes } from "../../src/report/page/format.ts";
import { shown } from "../../src/report/page/metrics.ts";
import { train } from "../../src/runner/train.ts";
import { mainMetric, mainValue } from "../../src/tasks/metric.ts";
import { npy, npz } from "../../test/fixtures/npy.ts";
import { readArrays } from "./run-model.ts";

interface Learned {
  /** Classes where it ends in a softmax. */
  readonly task: "classification" | "regression";
  /** What of it is taken where not all outputs are learned. */
  readonly outputs?: string[];
}

const ofClasses: Learned = { task: "classification" };
const ofValues: Learned = { task: "regression" };

/** Networks that take a minute or two each. */
const networks: Readonly<Record<string, Learned>> = {
  "page-orientation": ofClasses,
  "sentence-minilm-l3": { task: "regression", outputs: ["461"] },
  "speech-quality-background": ofValues,
  "speech-quality-mel": ofValues,
  "text-direction": ofClasses,
  "text-direction-opset9": ofClasses,
  "wakeword-alexa": ofValues,
  "wakeword-deepa": ofValues,
  "wakeword-embedding": ofValues,
  "wakeword-mycroft": ofValues,
  "wakeword-rhasspy": ofValues,
  "wakeword-timer": ofClasses,
  "wakeword-weather": ofValues,
};

const STEPS = 50;
const BATCH = 8;
/** Of the samples, for judging alone. */
const TEST_SHARE = 0.25;

/** The samples as a file that `data.name: npz` reads: the input, or the tokens. */
function dataOf(
  file: string,
  arrays: ReadonlyMap<string, NpyArray>,
): { readonly data: Buffer; readonly samples: number } {
  const inputs = readNetworkFile(file).model.graph.input.map(inputOf);
  const name = inputs.length === 1 ? first(inputs).name : textRoles(inputs).find(({ role }) => role === "tokens")?.name;
  const { shape, type, bytes: content } = lookup(arrays, name ?? "");
  const count = first(shape);
  const tests = Math.max(1, Math.floor(count * TEST_SHARE));
  const size = content.length / count;
  const part = (from: number, to: number) =>
    npy(type, [to - from, ...shape.slice(1)], content.subarray(from * size, to * size));
  return {
    data: npz({ train_images: part(0, count - tests), test_images: part(count - tests, count) }),
    samples: count - tests,
  };
}

async function learned(corpus: string, name: string, folder: string): Promise<string> {
  const file = join(corpus, "packages", `${name}.onnx`);
  const { data, samples } = dataOf(file, await readArrays(join(corpus, "data", `${name}.npz`)));
  const path = join(folder, "data.npz");
  writeFileSync(path, data);
  const { task: wanted, outputs } = lookup(new Map(Object.entries(networks)), name);
  const record = await train(
    {
      name,
      data: { name: "npz", train: path, test: path, batchSize: BATCH },
      network: { file, outputs },
      task: { name: wanted },
      method: { name: "bayesian-bits", prior: { kind: "bop", strength: 0.01, target: { relativeBops: 10 } } },
      training: {
        epochs: Math.ceil(STEPS / Math.ceil(samples / BATCH)),
        weights: { optimizer: "adam", learningRate: 1e-4 },
        gates: { learningRate: 0.05 },
      },
      export: { latency: false },
    },
    { folder: join(folder, "run") },
  );
  const { result, task, exports, times } = record;
  const exported = at(exports, 0);
  const metric = mainMetric(task);
  const value = result === null ? "" : shown(metric, mainValue(task, result.metrics));
  const after = statSync(join(folder, "run", exported.file)).size;
  if (exported.verification === null) throw new Error("its file was not verified");
  return `${metric.label} ${value}, ${result?.relativeBops.toFixed(3)} % of the bit operations, ${bytes(statSync(file).size)} to ${bytes(after)}, ${times.seconds.toFixed(0)} s, verified`;
}

const [corpus, ...names] = process.argv.slice(2);
if (corpus === undefined) throw new Error("usage: npm run corpus:train -- CORPUS [NAME ...]");
const unknown = names.find((name) => !(name in networks));
if (unknown !== undefined) throw new Error(`expected some of ${Object.keys(networks).join(", ")}, got ${unknown}`);
let done = 0;
const wanted = Object.keys(networks).filter((name) => names.length === 0 || names.includes(name));
for (const name of wanted) {
  const folder = mkdtempSync(join(tmpdir(), "corpus-train-"));
  try {
    console.log(`${name}: ${await learned(corpus, name, folder)}`);
    done++;
  } catch (error) {
    console.log(`${name}: ${messageOf(error)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
console.log(`${done} of ${wanted.length} have learned, are exported and verified`);
