import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { type RunRecord, recordVersion } from "../../src/runs/record.ts";
import { readRecord } from "../../src/runs/record-file.ts";
import { storedRecord } from "../../src/runs/record-versions.ts";
import { mainValue } from "../../src/tasks/metric.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";
import { classificationOf } from "../fixtures/tasks.ts";

/** A record of version 1, as far as it had other names. */
interface Classifier {
  readonly version: number;
  readonly data: { readonly classes: readonly string[] };
  readonly epochs: readonly {
    readonly train: { readonly loss: number; readonly crossEntropy: number; readonly top1: number };
    readonly evaluation: { readonly split: string; readonly crossEntropy: number; readonly top1: number };
  }[];
  readonly postTraining?: { readonly floatTop1: number };
  readonly result: {
    readonly top1: number;
    readonly sampledTop1: number;
    readonly crossEntropy: number;
    readonly confusion: readonly (readonly number[])[];
  };
  readonly analysis?: { readonly calibration: object; readonly worst: readonly object[] };
  readonly export: {
    readonly verification: { readonly top1: number; readonly trainerTop1: number; readonly sameClass: number };
  };
}

const committed = readdirSync("reports", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith("record.json"))
  .map((path) => join("reports", dirname(path)));

t.test("committed records of version 1 say the same by the task's names", async (t) => {
  const old = committed.filter((folder) => textOf(folder).version === 1);
  t.ok(old.length > 10, `${old.length} records`);
  for (const folder of old) {
    const before = textOf(folder);
    const record = readRecord(folder);
    const { result, findings, analysis, data, epochs, postTraining } = record;
    t.equal(record.version, recordVersion);
    t.match(record.task, { name: "classification", metrics: [{ key: "top1" }], loss: { label: "cross-entropy" } });
    t.strictSame(data.targets, { kind: "classes", names: before.data.classes });
    t.strictSame(
      epochs.map(({ train, evaluation }) => [train.loss, train.taskLoss, train.metrics, evaluation]),
      before.epochs.map(({ train, evaluation: { top1, crossEntropy, split } }) => [
        train.loss,
        train.crossEntropy,
        { top1: train.top1 },
        { split, taskLoss: crossEntropy, metrics: { top1 } },
      ]),
    );
    t.strictSame(
      [result?.metrics, result?.sampledMetrics, result?.taskLoss],
      [{ top1: before.result.top1 }, { top1: before.result.sampledTop1 }, before.result.crossEntropy],
    );
    const { confusion, calibration, worst } = classificationOf(findings);
    t.strictSame(
      [confusion, calibration, worst],
      [before.result.confusion, before.analysis?.calibration, before.analysis?.worst],
    );
    t.notOk(analysis && "worst" in analysis);
    t.equal(postTraining?.floatMetrics.top1, before.postTraining?.floatTop1);
    const { metrics, trainerMetrics, agreement } = record.exports[0]!.verification!;
    const { top1, trainerTop1, sameClass } = before.export.verification;
    t.strictSame([metrics, trainerMetrics, agreement[0]?.value], [{ top1 }, { top1: trainerTop1 }, sameClass]);
  }
});

t.test("what is wrong in a record of version 1 is told with its place", async (t) => {
  const [folder] = committed;
  const before = textOf(folder!);
  const placesOf = (record: object) =>
    storedRecord.safeParse(record).error?.issues.map(({ path }) => path.join(".")) ?? [];
  t.strictSame(placesOf(before), []);
  t.strictSame(placesOf({ ...before, result: { ...before.result, top1: 101 } }), ["result.top1"]);
  t.strictSame(placesOf({ ...before, seed: -1 }), ["seed"]);
  t.ok(placesOf({ ...before, version: recordVersion + 1 }).includes("version"));
});

t.test("a record of version 2 has its one exported file in the list", async (t) => {
  const { exports, ...record } = sampleRecord();
  const before = (exported: unknown) => storedRecord.parse({ ...record, version: 2, export: exported });
  t.strictSame(before(exports[0]), sampleRecord());
  t.strictSame(before(null), { ...sampleRecord(), exports: [] });
});

t.test(
  "a record that counted scales and shifts of batch normalizations counts them as they are folded in",
  async (t) => {
    const record = sampleRecord();
    const [conv1, ...others] = record.network.layers;
    const scaled = { ...conv1!, parameters: conv1!.parameters + 32 };
    const parameters = record.network.parameters + 32;
    const result = record.result!;
    const read = storedRecord.parse({
      ...record,
      network: { ...record.network, parameters, layers: [scaled, ...others] },
      result: {
        ...result,
        bytes: { ...result.bytes, fp32: 4 * parameters },
        parameters: { ...result.parameters, of: parameters },
      },
    });
    t.strictSame(read, {
      ...record,
      result: { ...result, bytes: { ...result.bytes, fp32: 4 * record.network.parameters } },
    });
    t.strictSame(storedRecord.parse(record), record, "and leaves others as they are");
  },
);

t.test("an evaluation has the task's main metric, and shares are shares", async (t) => {
  const record = sampleRecord();
  const placesOf = (metrics: Record<string, number>) =>
    storedRecord
      .safeParse({ ...record, result: { ...record.result!, metrics } } satisfies RunRecord)
      .error?.issues.map(({ path }) => path.join("."));
  t.strictSame(placesOf({ other: 1 }), ["result.metrics.top1"]);
  t.strictSame(placesOf({ top1: 100.5 }), ["result.metrics.top1"]);
  t.equal(placesOf({ top1: 50, other: -7 }), undefined);
  t.equal(mainValue(record.task, record.result!.metrics), 99.06);
});

function textOf(folder: string): Classifier {
  return JSON.parse(readFileSync(`${folder}/record.json`, "utf8"));
}
