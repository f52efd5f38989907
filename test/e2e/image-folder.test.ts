import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { truncate, writeImageFolder } from "../fixtures/image-folder.ts";
import { run } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";

const root = t.testdir();
// 200 JPEG and PNG images in 10 classes, one of them cut in half.
const folder = await writeImageFolder(join(root, "pictures"), { parts: { train: 16, val: 4 } });
const cut = join(folder, "train", "class-3", "4.jpg");
truncate(cut);

const config = join(root, "pictures.yaml");
writeFileSync(
  config,
  `extends: ${join(process.cwd(), "configs", "mnist-lenet5-quick.yaml")}
name: pictures
data:
  name: folder
  folder: ${folder}
  size: 28
  resize: { fit: stretch }
  augmentation: { crop: { padding: 2 } }
  validationShare: 0.1
  batchSize: 32
  onError: skip
training: { epochs: 3 }
`,
);

t.test("a folder of images trains, exports, verifies and reports", { skip: nativeMissing() }, async (t) => {
  const out = join(root, "run");
  const { code, stdout, stderr } = await runHere("train", config, "--out", out, "--json");
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout.trim().split("\n").at(-1)!), { run: out, verified: true });
  t.match(stderr, /left out .*class-3\/4\.jpg: /);
  t.match(stderr, /epoch 3\/3: .* % of the training waiting for data/);

  const { data, epochs, result, times, exports } = readRecord(out);
  t.match(data, { name: "folder", trainImages: 144, validationImages: 16, testImages: 40, imageShape: [28, 28, 3] });
  const { targets } = data;
  t.same(targets.kind === "classes" && [targets.names.length, targets.names[3]], [10, "class-3"]);
  t.same(data.damaged, [cut]);
  t.match(data.files, [{ name: "train (list of 160 images)" }, { name: "val (list of 40 images)" }]);
  t.same(data.normalization?.mean, [0.485, 0.456, 0.406]);
  t.equal(times.waitingForData.length, 3);
  t.equal(epochs.at(-1)!.evaluation.split, "validation");
  t.ok(result!.metrics.top1! > 80, `learned the classes: ${result!.metrics.top1} %`);
  t.equal(exports[0]!.verification!.images, 40);

  const again = await runHere("evaluate", out, "--json");
  t.equal(JSON.parse(again.stdout).top1, result!.metrics.top1, again.stderr);
  const file = await runHere("evaluate", runFiles(out).model, "--data", config, "--json");
  t.match(JSON.parse(file.stdout), { top1: result!.metrics.top1, images: 40 }, file.stderr);
});

t.test("without skipping, the damaged image is named and nothing is trained on", async (t) => {
  const { code, stderr } = await run(
    "train",
    config,
    "--set",
    "data.onError=fail",
    "--set",
    "data.validationShare=0",
    "--out",
    join(root, "failed"),
  );
  t.equal(code, 1);
  t.match(stderr, /cannot read 1 image:\n {2}.*class-3\/4\.jpg: .*\n.*data\.onError: skip/);
});

t.test("bad folders and bad settings", async (t) => {
  mkdirSync(join(folder, "train", "empty"));
  const empty = await runHere("train", config, "--out", join(root, "never"));
  t.equal(empty.code, 1);
  t.match(empty.stderr, /no JPEG or PNG image in class folder empty/);
  const bad = await runHere("train", config, "--set", "data.resize={fit: squeeze}", "--out", join(root, "never"));
  t.equal(bad.code, 2);
  t.match(bad.stderr, /data\.resize\.fit: expected "crop" or "stretch", got "squeeze"/);
  const unknown = await runHere("evaluate", config, "--data", "imagenet");
  t.equal(unknown.code, 2);
  t.match(
    unknown.stderr,
    /--data "imagenet": expected mnist, fashion-mnist, cifar10, cifar100, or a configuration file/,
  );
});
