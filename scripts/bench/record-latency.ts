import { cpus } from "node:os";
import { writeFileAtomically } from "../../src/core/atomic-file.ts";
import { at, last } from "../../src/core/elements.ts";
import { lookup } from "../../src/core/lookup.ts";
import { tuple } from "../../src/core/tuple.ts";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Ops } from "../../src/engine/ops.ts";
import { freeze } from "../../src/export/freeze.ts";
import { measureLatency } from "../../src/export/latency.ts";
import { lower } from "../../src/export/onnx/lower.ts";
import { defaultSaturation } from "../../src/export/onnx/saturation.ts";
import { createMethod } from "../../src/methods/create-method.ts";
import { plainOf } from "../../src/methods/method.ts";
import { imageNetwork } from "../../src/network/zoo/index.ts";
import { setBits } from "../../src/quantizers/level-gates.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { createTask } from "../../src/tasks/create-task.ts";
import { publishedRuns } from "../results/published.ts";
import { latenciesFile, type RecordLatency } from "../results/record-latencies.ts";
import { sampleImages, sampleLearned } from "./sample-learned.ts";

// npm run bench:records [-- CONFIG [SECONDS]]: how fast the networks of published runs are in the `compact` form, beside the
// unpruned network in float32, in turn: of the runs of configs/CONFIG.yaml, by its bits and channels, with first weights,
// which have no say in that. Writes reports/latencies.ndjson.
/** The parameter of a pruning gate that is closed for certain. */
const CLOSED = -20;

const [config = "fashion-mnist-front", seconds = "4"] = process.argv.slice(2);
/** Times that all networks are gone through, so that what else the machine does meets none of them alone. */
const PASSES = 5;
const { ops } = await loadEngine();
const measured = new Map<string, RecordLatency[]>();
for (let pass = 0; pass < PASSES; pass++) {
  for (const { record } of publishedRuns().filter((run) => run.config === config)) {
    if (record.config.method.name === "fp32") continue;
    for (const latency of await latenciesOf(record, ops)) {
      const line: RecordLatency = { config, run: record.name, cpu: cpus()[0]?.model ?? "", ...latency };
      const key = `${record.name} ${latency.batch}`;
      measured.set(key, [...(measured.get(key) ?? []), line]);
    }
  }
}
const ratio = ({ medianMs, fp32MedianMs }: RecordLatency) => fp32MedianMs / medianMs;
/** The pass whose ratio is the middle one. */
const middle = (lines: readonly RecordLatency[]) =>
  at(
    lines.toSorted((a, b) => ratio(a) - ratio(b)),
    (PASSES - 1) / 2,
  );
const lines = Array.from(measured.values(), (passes) => `${JSON.stringify(middle(passes))}\n`);
process.stdout.write(lines.join(""));
writeFileAtomically(latenciesFile, lines.join(""));

async function latenciesOf(record: RunRecord, ops: Ops) {
  const { network: source, method: settings, seed } = record.config;
  if (!("name" in source) || source.name === "text-classifier" || source.name === "text-encoder")
    throw new Error(`${record.name}: its network is no longer there, or reads texts`);
  const inputShape = tuple(record.network.inputShape, 3);
  const method = createMethod(settings, seed);
  const plain = plainOf(
    method,
    imageNetwork(source, { inputShape, classes: createTask(record.config.task, record.data.targets).outputs }),
  );
  const network = method.prepare(plain);
  const quantizers = method.quantizers(network);
  const learned = last(record.epochs).quantizers;
  for (const [id, quantizer] of quantizers) {
    const { bits } = lookup(new Map(Object.entries(learned)), id);
    if (bits === 3) throw new Error(`${record.name}: ${id} has 3 bits, which gates cannot have`);
    setBits(quantizer, bits);
    const kept = record.analysis?.channels.find((gates) => gates.quantizer === id)?.kept;
    if (kept !== undefined)
      quantizer.prune?.fill(CLOSED).forEach((_, channel, gates) => {
        if (kept.includes(channel)) gates[channel] = -CLOSED;
      });
  }
  const options = { input: "uint8", saturation: await defaultSaturation(), metadata: {} } as const;
  const fileOf = (learned: Parameters<typeof freeze>[0], form: "compact" | "fp32") => ({
    bytes: lower(freeze(learned), form, options).bytes,
    images: sampleImages(inputShape),
  });
  return measureLatency(
    { file: record.name, seconds: Number(seconds) },
    fileOf(sampleLearned(network, { ops, quantizers, inputShape }), "compact"),
    fileOf(sampleLearned(plain, { ops, quantizers: new Map(), inputShape }), "fp32"),
  );
}
