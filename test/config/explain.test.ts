import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../../src/config/load-config.ts";

const paper = join(process.cwd(), "configs/mnist-lenet5.yaml");
const folder = t.testdir({
  "unnamed.yaml": "{ data: { folder: x } }\n",
  "bare.yaml": "{ seed: -1 }\n",
  "nested.yaml": `extends: ${paper}\ndata:\n  normalization:\n    mean:\n      - 0.5\n      - 7\n    deviation: [1, 1]\n`,
  "partial.yaml": `extends: ${paper}\ndata: { name: cifar100, folder: x }\ntraining:\n  finetune:\n    weights: { optimizer: sgd }\n`,
});

/** The lines that tell what is wrong, without places. */
function mistakes(set: readonly string[], path = paper): string[] {
  try {
    loadConfig(path, { set });
  } catch (error) {
    return (error as Error).message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}
const without = (lines: readonly string[]) => lines.map((line) => line.replace(/ \([^()]*\)$/, ""));
const about = (...set: string[]) => without(mistakes(set));

t.test("what is expected is said in words", async (t) => {
  t.strictSame(about("seed=1.5"), ["seed: expected an integer, got 1.5"]);
  t.strictSame(about("seed=true"), ["seed: expected a number, got true"]);
  t.strictSame(about("data=3"), ["data: expected settings, got 3"]);
  t.strictSame(about("note=[1]"), ["note: expected a string, got [1]"]);
  t.strictSame(about("method.pruning=yes please"), ['method.pruning: expected true or false, got "yes please"']);
  t.strictSame(about("data={name: npz, train: a, test: b, classes: 3}"), ["data.classes: expected a list, got 3"]);
  t.strictSame(about("training.epochs=null"), ["training.epochs: expected a number, got null"]);
});

t.test("numbers that are not finite are called so", async (t) => {
  for (const [written, got] of [
    [".inf", "Infinity"],
    ["-.inf", "-Infinity"],
    [".nan", "NaN"],
    ["1e400", "Infinity"],
  ]) {
    t.strictSame(about(`training.epochs=${written}`), [`training.epochs: expected a finite number, got ${got}`]);
    t.strictSame(about(`method.prior.strength=${written}`), [
      `method.prior.strength: expected a finite number, got ${got}`,
    ]);
  }
  t.strictSame(about("data.normalization={mean: [.nan], deviation: [1]}"), [
    "data.normalization.mean.0: expected a finite number, got NaN",
  ]);
  t.strictSame(about("note=[.inf]"), ['note: expected a string, got ["Infinity"]']);
});

t.test("bounds say whether they are allowed themselves", async (t) => {
  t.strictSame(about("seed=-1"), ["seed: expected at least 0, got -1"]);
  t.strictSame(about("training.gates.learningRate=0"), ["training.gates.learningRate: expected more than 0, got 0"]);
  t.strictSame(about("data.validationShare=0.9"), ["data.validationShare: expected at most 0.5, got 0.9"]);
  t.strictSame(about("training.weights={optimizer: sgd, momentum: 1}"), [
    "training.weights.momentum: expected less than 1, got 1",
  ]);
});

t.test("a list of the wrong length is told how many it has to have", async (t) => {
  const crop = (scale: string) =>
    about(`data={name: folder, folder: x, augmentation: {randomResizedCrop: {scale: ${scale}}}}`);
  t.strictSame(crop("[1]"), ["data.augmentation.randomResizedCrop.scale: expected 2 values, got [1]"]);
  t.strictSame(crop("[0.1, 0.2, 0.3]"), [
    "data.augmentation.randomResizedCrop.scale: expected 2 values, got [0.1,0.2,0.3]",
  ]);
});

t.test("a choice names all that can be chosen", async (t) => {
  t.strictSame(about("method.prior.kind=bops"), ['method.prior.kind: expected "bop" or "const", got "bops"']);
  t.strictSame(about("method.bits={weights: 5, activations: 4}"), [
    "method.bits.weights: expected 2 or 4 or 8 or 16 or 32, got 5",
  ]);
  t.strictSame(about("data.normalization=3"), ['data.normalization: expected "measured" or settings, got 3']);
  t.match(about("method={name: none}"), [/^method\.name: expected "bayesian-bits" or "fixed" or .*, got "none"$/]);
  const unnamed = without(mistakes([], join(folder, "unnamed.yaml"))).find((line) => line.startsWith("data"));
  t.match(unnamed, /^data\.name: expected "mnist" or .* or "npz", got nothing$/);
});

t.test("of alternatives that fit in part, the one that fits furthest tells what is wrong", async (t) => {
  const schedule = (text: string) => about(`training.weights.schedule=${text}`);
  const at = "training.weights.schedule";
  t.strictSame(schedule("{name: multistep, milestones: [0]}"), [`${at}.milestones.0: expected more than 0, got 0`]);
  t.strictSame(schedule("{name: multistep, milestones: []}"), [`${at}.milestones: expected 1 values, got []`]);
  t.strictSame(schedule("{name: cosine, factor: 2}"), [`${at}.factor: is not a setting; known here: name`]);
  t.strictSame(about("method.prior.target={relativeBops: 0}"), [
    "method.prior.target.relativeBops: expected more than 0, got 0",
  ]);
});

t.test("an unknown setting is told which ones there are, without itself", async (t) => {
  t.strictSame(about("method.gates={inital: {}}"), ["method.gates.inital: is not a setting; known here: initial"]);
  t.strictSame(about("method.gates.initial={bit4: 1}"), [
    "method.gates.initial.bit4: is not a setting; known here: prune, bits4, bits8, bits16, bits32",
  ]);
  t.strictSame(about("training.weights={optimizer: adam, momentum: 1, lr: 2}"), [
    "training.weights.momentum: is not a setting; known here: optimizer, learningRate, schedule, weightDecay",
    "training.weights.lr: is not a setting; known here: optimizer, learningRate, schedule, weightDecay",
  ]);
  t.match(about("top=1"), [
    /^top: is not a setting; known here: name, note, seed, task, data, network, method, training, /,
  ]);
  t.strictSame(about("method={name: fp32, pruning: true}"), [
    "method.prior: is not a setting; known here: name",
    "method.pruning: is not a setting; known here: name",
  ]);
});

t.test("a mistake has the place of the nearest part that was written, or else of the file", async (t) => {
  const bare = mistakes([], join(folder, "bare.yaml"));
  t.match(
    bare.find((line) => line.startsWith("seed:")),
    /\(.*bare\.yaml:1\)$/,
  );
  t.match(
    bare.find((line) => line.startsWith("data:")),
    /^data: expected settings, got nothing \(.*bare\.yaml\)$/,
  );
  t.match(mistakes([], join(folder, "nested.yaml")), [
    /^data\.normalization\.mean\.1: expected at most 1, got 7 \(.*nested\.yaml:6\)$/,
  ]);
  t.match(mistakes([], join(folder, "partial.yaml")), [
    /^training\.finetune\.epochs: expected a number, got nothing \(.*partial\.yaml:4\)$/,
  ]);
  t.match(mistakes(["data.augmentation.crop={}"]), [
    /^data\.augmentation\.crop\.padding: .*, got nothing \(--set data\.augmentation\.crop=\{\}\)$/,
  ]);
});
