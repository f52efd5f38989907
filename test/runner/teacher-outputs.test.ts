import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseConfig } from "../../src/config/parse-config.ts";
import type { RunSettings } from "../../src/config/schema.ts";
import type { ByteBatch } from "../../src/data/dataset.ts";
import { TeacherOutputs } from "../../src/runner/teacher-outputs.ts";
import { type TrainOptions, train } from "../../src/runner/train.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { setEnvironment } from "../fixtures/fake-machine.ts";
import { smallClassifier } from "../fixtures/onnx/small-classifier.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";
import { splitOf } from "../fixtures/splits.ts";
import { classTargets } from "../fixtures/tasks.ts";

/** Samples of two bytes. */
const split = (...samples: readonly (readonly [number, number])[]) =>
  splitOf(
    { count: samples.length, images: Uint8Array.from(samples.flat()), targets: classTargets(samples.map(() => 0)) },
    [2, 1, 1],
  );

/** Gives each sample's bytes, their sum, and counts what it is asked for. */
function countingTeacher() {
  const asked: number[] = [];
  return {
    asked,
    async outputs({ count, images }: Pick<ByteBatch, "count" | "images">) {
      asked.push(count);
      return Float32Array.from({ length: 3 * count }, (_, at) => {
        const [one, other] = images.subarray(2 * Math.floor(at / 3));
        return [one!, other!, one! + other!][at % 3]!;
      });
    },
  };
}

const batchOf = (...bytes: readonly number[]) => ({ count: bytes.length / 2, images: Uint8Array.from(bytes) });

t.test("each sample is asked for once, and found wherever it stands", async (t) => {
  const cache = join(t.testdir(), "cache");
  setEnvironment(t, { XDG_CACHE_HOME: cache });
  const teacher = countingTeacher();
  const key = { teacher: "a", data: { limit: 3 } };
  t.equal(TeacherOutputs.read(key), null);
  const options = {
    ...{ teacher, outputs: 3, reporter: recordingReporter() },
    splits: [split([1, 2], [3, 4], [1, 2]), split([5, 6])],
  };
  const made = await TeacherOutputs.make(key, options);
  t.strictSame(teacher.asked, [3, 1]);
  for (const kept of [made, TeacherOutputs.read(key)!]) {
    t.strictSame([...kept.of(batchOf(5, 6, 1, 2))!], [5, 6, 11, 1, 2, 3]);
    t.equal(kept.of(batchOf(5, 6, 9, 9)), null, "a sample of which nothing is known");
  }
  t.equal(TeacherOutputs.read({ ...key, teacher: "b" }), null, "those of another teacher");
  await t.rejects(TeacherOutputs.make(key, { ...options, free: 95 }), {
    name: "UserError",
    message: /training\.loss\.cache: 3 outputs of 4 samples take .* leave cache away/,
  });

  const folder = join(cache, "bayesian-bits", "teacher-outputs");
  const [file] = readdirSync(folder);
  const bytes = readFileSync(join(folder, file!));
  t.throws(() => TeacherOutputs.decode(bytes.subarray(0, bytes.length - 4), "it"), {
    message: /cannot read it: .*it is damaged .*; remove it, and it is made again/,
  });
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(join(folder, file!), bytes);
  t.throws(() => TeacherOutputs.read(key), {
    name: "UserError",
    message: /checksum is another; remove it, and it is made/,
  });
});

const root = t.testdir();
const data = writeSmallMnist(join(root, "data"), { train: 24, test: 10 });
const student = join(root, "student.onnx");
writeFileSync(student, smallClassifier(10));
const settings: RunSettings = {
  name: "kept",
  data: { name: "mnist", folder: data, batchSize: 8 },
  network: { file: student },
  method: { name: "fixed", weights: 4, activations: 4 },
  training: { epochs: 2, loss: { name: "distill", cache: true } },
  export: { latency: false },
};

t.test("a run learns the same from what is kept, also when it goes on", { timeout: 120_000 }, async (t) => {
  const cache = join(root, "cache");
  mkdirSync(cache);
  setEnvironment(t, { XDG_CACHE_HOME: cache });
  const place = join(cache, "bayesian-bits", "teacher-outputs");
  const stop = new AbortController();
  const onStep: TrainOptions["onStep"] = ({ step }) => {
    if (step === 4) stop.abort("SIGTERM");
  };
  const part = join(root, "part");
  await t.rejects(train(settings, { folder: part, stop: stop.signal, onStep }), { name: "StoppedError" });
  t.equal(readdirSync(place).length, 1);
  const resumed = await train(settings, { folder: part, resume: true });
  const again = recordingReporter();
  const folder = join(root, "whole");
  const whole = await train(settings, { folder, reporter: again });
  t.strictSame([resumed.result, resumed.epochs], [whole.result, whole.epochs]);
  t.ok(readFileSync(runFiles(part).model).equals(readFileSync(runFiles(folder).model)));
  t.equal(readdirSync(place).length, 1, "of one teacher and data");
  t.notOk(again.infos.some((line) => /are computed once/.test(line)));
});

t.test("images that change at random are refused", async (t) => {
  const changed = { ...settings, data: { ...settings.data, augmentation: { flip: true } } };
  t.throws(() => parseConfig(changed as RunSettings), {
    name: "UsageError",
    message:
      /training\.loss\.cache: expected nothing beside data\.augmentation \(flip\): .* other images .* in each epoch/,
  });
});
