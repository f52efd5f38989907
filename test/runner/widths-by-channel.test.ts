import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunSettings } from "../../src/config/schema.ts";
import { mean } from "../../src/core/mean.ts";
import { train } from "../../src/runner/train.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { readRecord, writeRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const root = t.testdir();
const shared = {
  name: "widths",
  data: { name: "mnist" as const, folder: writeSmallMnist(join(root, "data"), { train: 40, test: 10 }), batchSize: 8 },
  network: { file: pathOf("keras-cnn") },
  export: { latency: false as const },
};
const run = (name: string, settings: Pick<RunSettings, "method" | "training">, options: { stop?: AbortSignal } = {}) =>
  train({ ...shared, ...settings } as RunSettings, { folder: join(root, name), ...options });

/** Channels of 2, 4 and 8 bits in turn, the second one pruned. */
const drawn = (outputs: number) => Array.from({ length: outputs }, (_, channel) => [4, 0, 2, 8][channel % 4] as 0 | 2);
const kept = (widths: readonly number[]) => widths.map((bits) => (bits === 0 ? 2 : bits));
const widthsOf = ({ result, network }: RunRecord) =>
  new Map(
    result!.layers.map(({ name, channelBits }) => [
      network.layers.find((one) => one.name === name)!.weightQuantizer!,
      channelBits,
    ]),
  );

let learned: Map<string, readonly number[]>;

t.test("channels have the widths that another run has come to, a pruned one the narrowest of them", async (t) => {
  const plain = await run("float", { method: { name: "fp32" }, training: { epochs: 1 } });
  const hidden = plain.network.layers.slice(0, -1);
  const tensors = Object.fromEntries(
    hidden.map(({ name, weightShape }) => [`${name}.weight.quantizer`, drawn(weightShape.at(-1)!)]),
  );
  await run("given", { method: { name: "fixed", tensors }, training: { from: join(root, "float"), epochs: 1 } });
  learned = new Map(Object.entries(tensors));
  const calibration = { images: 16, positions: 4 };
  for (const method of [
    { name: "nearest" as const, calibration, bits: { from: join(root, "given") } },
    { name: "adaround" as const, calibration, bits: { from: join(root, "given") }, iterations: 20 },
    { name: "bit-split" as const, calibration, bits: { from: join(root, "given") }, epochs: 3 },
  ]) {
    const record = await run(method.name, { method, training: { from: join(root, "float") } });
    const found = widthsOf(record);
    for (const [id, widths] of learned) t.strictSame(found.get(id), kept(widths), `${method.name}: ${id}`);
    for (const { name, bits, meanBits, error, nearestError } of record.postTraining!.layers) {
      const widths = kept(learned.get(`${name}.weight.quantizer`) ?? []);
      if (widths.length > 0) t.match({ bits, meanBits }, { bits: 8, meanBits: mean(widths) }, name);
      t.ok(error <= nearestError * 1.0001 + 1e-9, `${name}: ${error} of ${nearestError}`);
    }
    t.equal(
      record.exports[0]!.verification!.metrics.top1,
      record.result!.metrics.top1,
      "the file does what it did here",
    );
  }
});

t.test("a run that is stopped between two layers comes to the same file", async (t) => {
  const settings = {
    method: {
      name: "bit-split" as const,
      calibration: { images: 16, positions: 4 },
      bits: { from: join(root, "given") },
      epochs: 3,
    },
    training: { from: join(root, "float") },
  };
  const folder = join(root, "stopped");
  const stop = new AbortController();
  const onRecord = ({ postTraining }: RunRecord) => {
    if (postTraining?.layers.length === 2) stop.abort("SIGTERM");
  };
  const all = { ...shared, ...settings } as RunSettings;
  await t.rejects(train(all, { folder, stop: stop.signal, onRecord }), { name: "StoppedError" });
  await train(all, { folder, resume: true });
  t.ok(readFileSync(runFiles(folder).model).equals(readFileSync(runFiles(join(root, "bit-split")).model)));
});

t.test("widths of another network are refused", async (t) => {
  const folder = join(root, "given");
  const { result, ...record } = readRecord(folder);
  const [first, ...others] = result!.layers;
  const layers = [{ ...first!, channelBits: first!.channelBits!.slice(1) }, ...others];
  writeRecord(folder, { ...record, result: { ...result!, layers } });
  await t.rejects(
    run("refused", { method: { name: "nearest", bits: { from: folder } }, training: { from: join(root, "float") } }),
    {
      name: "UserError",
      message:
        /method\.bits\.from: the run .* has \d+ bit-widths for .*, one for each output channel, of which this network's has \d+/,
    },
  );
});
