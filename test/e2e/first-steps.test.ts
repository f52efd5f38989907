import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import t from "tap";
import { quoted } from "../../src/core/shell-word.ts";
import { readRecord } from "../../src/runs/record-file.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { writeImageFolder } from "../fixtures/image-folder.ts";
import { pathOf } from "../fixtures/onnx/files.ts";

const folder = t.testdir();
const bin = join(folder, "bin");
mkdirSync(bin);
const program = join(bin, "bayesian-bits");
writeFileSync(program, `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(resolve("dist/main.js"))} "$@"\n`);
chmodSync(program, 0o755);

/** Runs a command line in the user's folder, as it is typed there. */
function typed(command: string) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  return spawnSync("sh", ["-c", command], { cwd: folder, encoding: "utf8", env, timeout: 120_000 });
}

const skip = process.platform === "win32" ? "typed into a POSIX shell" : nativeMissing();

t.test("from an ONNX file and a folder of images to a verified file, without one decision", { skip }, async (t) => {
  // As PyTorch has written it; 300 images of ten classes beside it.
  copyFileSync(pathOf("pytorch-resnet-legacy"), join(folder, "my net.onnx"));
  await writeImageFolder(join(folder, "pictures"), { parts: { "": 30 }, side: 32 });
  const { status, stdout, stderr } = typed("bayesian-bits init 'my net.onnx' --data pictures");
  t.equal(status, 0, stderr);
  t.match(
    stdout,
    /^network {2}my net\.onnx: 7 layers, 6,154 parameters, images of 32 × 32 × 3 in, 10 values out \(Conv 6/,
  );
  t.match(stdout, /^data {5}pictures: 240 images to train on, 60 to test on, 10 classes$/m);
  t.match(stdout, /^weights {2}of no use for these images: .* is chance: \d+ epochs in float32 come first$/m);
  t.match(stdout, /^step {5}[\d.]+ m?s for 16 images \(median of \d+\), 15 an epoch$/m);
  t.match(stdout, /^plan {5}bayesian-bits within 3 % of the bit operations, \d+ epochs, about .* and the export$/m);
  const next = stdout.trim().split("\n").at(-1)!;
  t.match(next, /^node \S*dist\/main\.js train 'my net\.yaml'$/);
  t.match(
    readFileSync(join(folder, "my net.yaml"), "utf8"),
    /^# Written by: node \S*dist\/main\.js init 'my net\.onnx' --data pictures\n/,
  );

  const tiny = " --set training.epochs=1 --set training.pretrain.epochs=1 --set export.latency=false";
  const trained = typed(`${next}${tiny}`);
  t.equal(trained.status, 0, trained.stderr);
  t.match(trained.stdout, /^ {2}network .*model\.onnx .*, verified$/m);
  const run = join(folder, "reports", "my net");
  t.ok(existsSync(join(run, "model.onnx")));
  const record = readRecord(run);
  t.match(record.data, { trainImages: 240, testImages: 60 });
  t.equal(record.exports[0]?.verification?.images, 60);
});
