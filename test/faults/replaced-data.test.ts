import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readRecord } from "../../src/runs/record-file.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { allFaults, resumesTo, smallPictures, startFaulty, trainingOn } from "../fixtures/fault-runs.ts";
import { npyImages, npyLabels, npz } from "../fixtures/npy.ts";
import { outcome } from "../fixtures/outcome.ts";
import { runHere } from "../fixtures/program-here.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const at = (name: string) => join(folder, name);

const npzOf = (images: number) => npz({ images: npyImages([images, 28, 28, 1]), labels: npyLabels(images) });
writeFileSync(at("train.npz"), npzOf(16));
writeFileSync(at("test.npz"), npzOf(10));
const normalization = { mean: [0.5], deviation: [0.5] };

/** Of each kind of data: where it lies, its section and classes, and one file of it that is tried where not all are. */
const kinds = {
  idx: {
    place: writeSmallMnist(at("idx"), { train: 16, test: 10 }),
    ...{ data: { name: "mnist", folder: at("idx"), batchSize: 8 }, classes: 10 },
    one: "train-images-idx3-ubyte",
  },
  npz: {
    place: folder,
    data: { name: "npz", train: at("train.npz"), test: at("test.npz"), batchSize: 8, normalization },
    classes: 3,
    one: "train.npz",
  },
  folder: { place: at("pictures"), ...(await smallPictures(at("pictures"))), one: "train/class-1/5.png" },
};

/** Another content of a file, that passes for one of its kind. */
function replaced(path: string, bytes: Buffer): Buffer {
  if (path.endsWith("train.npz")) return npzOf(17);
  if (path.endsWith("test.npz")) return npzOf(9);
  // The last label, the last pixel, or the checksum of an image's last part, at which decoders do not look.
  const other = Buffer.from(bytes);
  const last = other.length - 1;
  other[last] = other[last] === 1 ? 2 : 1;
  return other;
}

for (const [kind, { place, one, ...of }] of Object.entries(kinds)) {
  const options = { skip: nativeMissing(), timeout: 3_600_000 };
  t.test(`${kind}: data that is replaced while a run is killed is refused by its name`, options, async (t) => {
    // In a third epoch all that is replaced is read again: an image is looked at when it is read.
    const train = trainingOn(at(`${kind}.yaml`), of, "training.epochs=3");
    const out = at(`${kind}-killed`);
    // Of the second epoch: all images have been used but perhaps some of the tests. Images have a log of their own.
    await startFaulty(train(out), { code: "KILL", nth: kind === "folder" ? 100 : 80, folder: out }).ended;
    t.equal(readRecord(out).epochs.length, 1);
    const files = readdirSync(place, { recursive: true, encoding: "utf8" }).filter(
      (name) => statSync(join(place, name)).isFile() && (kind !== "npz" || /^(train|test)\.npz$/.test(name)),
    );
    t.ok(files.includes(one));
    for (const name of allFaults ? files : [one]) {
      const path = join(place, name);
      const bytes = readFileSync(path);
      writeFileSync(path, replaced(path, bytes));
      // Of its own: each try goes on a little before it comes to what was replaced.
      const again = at(`${kind}-again`);
      cpSync(out, again, { recursive: true });
      const { code, stderr } = await runHere(...train(again, "--resume"));
      t.equal(code, 1, `${name}: ${stderr}`);
      t.match(stderr, new RegExp(`^error: the data file .*${name} has changed since the run began \\(.*--force$`, "m"));
      writeFileSync(path, bytes);
      rmSync(again, { recursive: true });
    }
    if (!allFaults) return;
    const whole = at(`${kind}-whole`);
    const first = await runHere(...train(whole));
    t.equal(first.code, 0, first.stderr);
    await resumesTo(t, outcome(whole), { train, out, what: `${kind}, put back` });
  });
}
