import t from "tap";
import { parseConfig } from "../../src/config/parse-config.ts";
import { againstFloat, dropOf } from "../../src/runs/against-float.ts";
import { budgetMet } from "../../src/runs/budget-met.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

/** The sample in float32: 99.2 % unless told otherwise. */
function floatRun(name: string, top1 = 99.2): RunRecord {
  const record = sampleRecord();
  const config = parseConfig({ ...record.config, method: { name: "fp32" } });
  return { ...record, name, config, result: { ...record.result!, metrics: { top1 } } };
}

/** The sample after two epochs of pretraining. */
function pretrained(split: "test" | "validation"): RunRecord {
  const record = sampleRecord();
  const epochs = record.epochs.map((epoch, index) => ({
    ...epoch,
    phase: index < 2 ? ("pretraining" as const) : ("training" as const),
    evaluation: { ...epoch.evaluation, split },
  }));
  return { ...record, epochs };
}

t.test("the trained network that was quantized comes first, then runs in float32, then pretraining", async (t) => {
  const record = sampleRecord();
  t.equal(againstFloat(record, []), null, "nothing is known");
  t.equal(againstFloat({ ...record, result: null }, [floatRun("float")]), null, "no result yet");
  t.equal(againstFloat(floatRun("float"), [floatRun("other")]), null, "it is float32 itself");
  t.match(againstFloat(pretrained("test"), []), {
    reference: "pretraining",
    source: "after pretraining, epoch 2",
    float: 98.21,
  });
  t.equal(againstFloat(pretrained("validation"), []), null, "of other images");
  const against = againstFloat(pretrained("test"), [floatRun("worse", 99.1), floatRun("float"), record]);
  t.match(against, { reference: "baseline", source: "float", float: 99.2, value: 99.06 });
  t.ok(Math.abs(against!.difference + 0.14) < 1e-9);
  t.ok(Math.abs(dropOf(against!) - 0.14) < 1e-9);
  const [low, high] = against!.interval!;
  t.ok(low < -0.14 && high > -0.14 && high - low < 0.6);
  const postTraining = { images: 512, floatMetrics: { top1: 99.3 }, bits: {}, layers: [], quantizers: {} };
  t.match(againstFloat({ ...record, postTraining }, [floatRun("float")]), { reference: "quantized-from", float: 99.3 });
});

t.test("runs of another network, another test set or another method are no baseline", async (t) => {
  const record = sampleRecord();
  const float = floatRun("float");
  const [first, ...layers] = float.network.layers;
  for (const other of [
    { ...float, network: { ...float.network, name: "vgg7" } },
    { ...float, network: { ...float.network, layers: [{ ...first!, weightShape: [3, 3, 1, 32] }, ...layers] } },
    { ...float, data: { ...float.data, name: "fashion-mnist" } },
    { ...float, data: { ...float.data, testImages: 5000 } },
    { ...float, result: null },
    { ...record, name: "quantized" },
  ]) {
    t.equal(againstFloat(record, [other]), null);
  }
});

t.test("of an error a drop is a rise, and there is no interval", async (t) => {
  const { task: classification } = sampleRecord();
  const [main] = classification.metrics;
  const error = { ...main, key: "error", better: "lower" as const, isShare: false };
  const task: RunRecord["task"] = { ...classification, metrics: [error] };
  const of = (run: RunRecord, value: number): RunRecord => ({
    ...run,
    task,
    result: { ...run.result!, metrics: { error: value } },
  });
  const against = againstFloat(of(sampleRecord(), 0.5), [of(floatRun("float"), 0.4)])!;
  t.equal(against.interval, null);
  t.ok(Math.abs(dropOf(against) - 0.1) < 1e-9);
});

t.test("a budget is met up to its limit, in its own measure", async (t) => {
  const record = sampleRecord();
  t.equal(budgetMet(record), null, "no budget");
  const within = (target: { relativeBops: number } | { sizeBytes: number }): RunRecord => ({
    ...record,
    config: parseConfig({ ...record.config, method: { name: "bayesian-bits", prior: { target } } }),
  });
  const { relativeBops, bytes } = record.result!;
  t.match(budgetMet(within({ relativeBops })), { kind: "relativeBops", value: relativeBops, met: true });
  t.match(budgetMet(within({ relativeBops: relativeBops / 2 })), { met: false });
  t.match(budgetMet(within({ sizeBytes: bytes.packed })), { kind: "sizeBytes", value: bytes.packed, met: true });
  t.match(budgetMet(within({ sizeBytes: bytes.packed - 1 })), { met: false });
  t.equal(budgetMet({ ...within({ sizeBytes: 1 }), result: null }), null, "no result yet");
});
