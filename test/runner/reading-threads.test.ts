import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import t, { type Test } from "tap";
import { parseConfig } from "../../src/config/parse-config.ts";
import type { RunSettings } from "../../src/config/schema.ts";
import { silent } from "../../src/core/progress.ts";
import { checkRun } from "../../src/preview/check-run.ts";
import { proposeRun } from "../../src/preview/propose-run.ts";
import { evaluateOnnx } from "../../src/runner/evaluate-onnx.ts";
import { quantizeFile } from "../../src/runner/quantize-file.ts";
import { train } from "../../src/runner/train.ts";
import { writeImageFolder } from "../fixtures/image-folder.ts";
import { pathOf } from "../fixtures/onnx/files.ts";

const root = t.testdir();
// Five classes: no file here has as many.
const folder = await writeImageFolder(join(root, "pictures"), { parts: { train: 4, val: 2 }, classes: 5 });
const data = { name: "folder", folder, size: 32, resize: { fit: "stretch" } } as const;
const resnet = pathOf("pytorch-resnet-legacy");
const text = join(root, "text.onnx");
writeFileSync(text, "no network");
const divided = await writeImageFolder(join(root, "divided"), { parts: { train: 4, val: 1, test: 1 }, classes: 5 });

const settings: RunSettings = {
  name: "pictures",
  data,
  network: { file: resnet },
  method: { name: "bayesian-bits" },
  training: { epochs: 1 },
};
let runs = 0;
const training = (more: Partial<RunSettings>) => () =>
  train({ ...settings, ...more }, { folder: join(root, `run-${++runs}`) });

/** Does what fails with `message`, and counts the threads that it begins, and those that have ended when it has failed. */
async function threadsOf(t: Test, work: () => Promise<unknown>, message: RegExp) {
  let [begun, ended] = [0, 0];
  const onWorker = (worker: Worker) => {
    begun++;
    worker.once("exit", () => ended++);
  };
  process.on("worker", onWorker);
  const failed = await work().then(
    () => null,
    (error: unknown) => error,
  );
  // Node tells of a thread when what has begun it is done.
  await setImmediate();
  process.off("worker", onWorker);
  t.match(failed, { name: /^(User|Usage)Error$/, message });
  return { begun, ended };
}

const nofile = join(root, "nofile.onnx");
const failures: Readonly<Record<string, readonly [work: () => Promise<unknown>, message: RegExp]>> = {
  "training: no such file": [training({ network: { file: nofile } }), /nofile\.onnx/],
  "training: a file that is no network": [training({ network: { file: text } }), /text\.onnx/],
  "training: images of another shape": [training({ network: { file: pathOf("pytorch-cnn-legacy") } }), /images are 32/],
  "training: another number of classes": [training({}), /10 .*5|5 .*10/],
  "training: no run to begin from": [
    training({ network: { name: "resnet20" }, training: { epochs: 1, from: join(root, "nope") } }),
    /nope/,
  ],
  "training: a share for validation beside images for it": [
    training({ network: { name: "resnet20" }, data: { ...data, folder: divided, validationShare: 0.1 } }),
    /data\.validationShare/,
  ],
  "check: another number of classes": [
    () => checkRun(parseConfig(settings), { folder: join(root, "never"), reporter: silent }),
    /10 .*5|5 .*10/,
  ],
  "init: another number of classes": [() => proposeRun({ model: resnet, data: folder }, silent), /10 .*5|5 .*10/],
  "evaluate: no such file": [() => evaluateOnnx(nofile, { data }), /nofile\.onnx/],
  "quantize: images of another shape": [
    () => quantizeFile({ network: { file: pathOf("pytorch-cnn-legacy") }, data }, { folder: join(root, "quantized") }),
    /images/,
  ],
};

for (const [failure, [work, message]] of Object.entries(failures)) {
  t.test(`no thread that reads images outlives what fails: ${failure}`, async (t) => {
    const { begun, ended } = await threadsOf(t, work, message);
    t.ok(begun > 0, "images were open");
    t.equal(ended, begun);
  });
}
