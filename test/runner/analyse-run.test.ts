import { join } from "node:path";
import t from "tap";
import { parseConfig } from "../../src/config/parse-config.ts";
import type { RunSettings } from "../../src/config/schema.ts";
import { silent } from "../../src/core/progress.ts";
import { analyseRun } from "../../src/runner/analyse-run.ts";
import { prepare } from "../../src/runner/prepare.ts";
import { train } from "../../src/runner/train.ts";
import { pathOf } from "../fixtures/onnx/files.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const root = t.testdir();
const folder = writeSmallMnist(join(root, "data"), { train: 160, test: 10 });

const settings = (report: RunSettings["report"]): RunSettings => ({
  name: "small",
  data: { name: "mnist", folder, batchSize: 40, evaluationBatchSize: 20, validationShare: 0.25 },
  network: { file: pathOf("keras-cnn") },
  method: { name: "fixed", weights: 4, activations: 4 },
  training: { epochs: 2 },
  export: { latency: false },
  ...(report && { report }),
});

const measured: RunSettings["report"] = { sensitivity: { images: 40, share: 1 } };

t.test("a run that is stopped while sensitivity is measured measures it anew, and comes to the same", async (t) => {
  const { analysis } = await train(settings(measured), { folder: join(root, "whole") });
  const { from, images, tensors } = analysis!.sensitivity!;
  t.strictSame([from, images, tensors.length], ["validation", 40, 7]);
  const stop = new AbortController();
  const stage: string[] = [];
  const progress = {
    start: (label: string) => stage.push(label),
    update: (done: number) => {
      if (stage.at(-1) === "measuring sensitivity" && done === 3) stop.abort("SIGTERM");
    },
    stop: () => {},
  };
  const run = join(root, "stopped");
  await t.rejects(train(settings(measured), { folder: run, stop: stop.signal, reporter: { ...silent, progress } }), {
    name: "StoppedError",
  });
  const record = await train(settings(measured), { folder: run, resume: true });
  t.equal(record.status, "finished");
  t.strictSame(record.analysis, analysis);
});

t.test("it is measured of as many images as a share of training allows, and not where that is too few", async (t) => {
  const imagesAt = async (report: RunSettings["report"]) => {
    await using prepared = await prepare(parseConfig(settings(report)), silent);
    const { sensitivity } = await analyseRun(prepared, { reporter: silent, pause: async () => {} });
    return sensitivity?.images;
  };
  // Steps of two epochs of 120 images are as 720 evaluations of one; the network and 7 tensors at 2 widths are 15.
  t.equal(await imagesAt({ sensitivity: { images: 40, share: 0.7 } }), 33);
  t.equal(await imagesAt({ sensitivity: { images: 36, share: 1 } }), 36);
  t.equal(await imagesAt({ sensitivity: { images: 40, share: 0.6 } }), undefined, "28 images tell nothing");
  t.equal(await imagesAt(undefined), undefined, "of a run of seconds a twentieth is nothing");
  t.equal(await imagesAt({ sensitivity: false }), undefined);
});
