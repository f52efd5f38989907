import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { canonicalConfig, configHash } from "../../src/config/canonical.ts";
import { loadConfig, loadImages } from "../../src/config/load-config.ts";
import { UsageError } from "../../src/core/errors.ts";
import { lawHolds } from "../fixtures/laws.ts";

const paper = "configs/mnist-lenet5.yaml";
const folder = t.testdir();
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const complaint = (path: string, set: string[] = []): string => {
  try {
    loadConfig(path, { set });
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "";
};

t.test("the paper's setting has the paper's values", (t) => {
  const { config } = loadConfig(paper);
  t.match(config, {
    name: "mnist-lenet5",
    data: { name: "mnist", batchSize: 128, validationShare: 0 },
    method: {
      prior: { kind: "bop", strength: 0.1 },
      gates: { initial: { prune: 6, bits4: 6, bits8: 6, bits16: -6, bits32: -6 } },
    },
    training: {
      epochs: 100,
      weights: { optimizer: "adam", learningRate: 1e-3, schedule: { name: "linear-decay" } },
      gates: { learningRate: 1e-3, schedule: { name: "constant" } },
      ranges: { learningRate: 1e-3, schedule: { name: "constant" } },
    },
  });
  t.end();
});

t.test("later settings win: extended file, own file, --set", (t) => {
  const base = file("base.yaml", `extends: ${join(process.cwd(), paper)}\nseed: 5\ntraining: { epochs: 7 }\n`);
  const own = file("own.yaml", "extends: ./base.yaml\ntraining: { gates: { learningRate: 0.5 } }\n");
  t.equal(base.length > 0, true);
  const { config } = loadConfig(own, {
    set: ["seed=9", "training.weights={optimizer: sgd, learningRate: 0.1, schedule: constant}"],
  });
  t.equal(config.name, "mnist-lenet5");
  t.equal(config.seed, 9);
  t.equal(config.training.epochs, 7);
  t.equal(config.training.gates.learningRate, 0.5);
  t.match(config.training.weights, { optimizer: "sgd", momentum: 0.9, learningRate: 0.1 });
  t.end();
});

t.test("everything that is wrong is told at once, each with path, value, file and line", (t) => {
  const bad = file(
    "bad.yaml",
    `extends: ${join(process.cwd(), paper)}\nseed: -1\ndata:\n  batchSize: 128x\n  colour: red\n`,
  );
  const message = complaint(bad, ["training.epochs=-2"]);
  t.match(message, /seed: expected at least 0, got -1 \(.*bad\.yaml:2\)/);
  t.match(message, /data\.batchSize: expected a number, got "128x" \(.*bad\.yaml:4\)/);
  t.match(message, /data\.colour: is not a setting; known here: name, folder.*bad\.yaml:5/);
  t.match(message, /training\.epochs: expected at least 0, got -2 \(--set training\.epochs=-2\)/);
  t.match(
    complaint(paper, ["training.epochs=0"]),
    /training\.epochs: expected at least 1: method bayesian-bits trains/,
  );
  t.end();
});

t.test("the data set's name decides which settings there are, and what an error says", (t) => {
  const about = (...set: string[]) => complaint(paper, set);
  t.match(about("data.name=cifar"), /data\.name: expected "mnist" or "fashion-mnist" or "cifar10" or .*, got "cifar"/);
  const known = about("data.size=3");
  t.match(known, /data\.size: is not a setting; known here: name, folder, normalization/);
  t.notMatch(known, /testShare/, "those of other data sets are not listed");
  t.match(about("data={name: folder}"), /data\.folder: expected a string, got nothing/);
  t.match(about("data={name: npz, train: a.npz}"), /data\.test: expected a string, got nothing/);
  const folder = (settings: string) => about(`data={name: folder, folder: x, ${settings}}`);
  t.equal(folder("size: [32, 64], augmentation: {randomResizedCrop: {}, flip: true}"), "");
  t.match(folder("channels: 2"), /data\.channels: expected 1 or 3, got 2/);
  t.match(folder("size: [3]"), /data\.size: expected a number or 2 values, got \[3\]/);
  t.match(folder("resize: {fit: stretch, shorterSide: 3}"), /shorterSide: is not a setting; known here: fit \(/);
  t.match(folder("size: 64, resize: {fit: crop, shorterSide: 32}"), /shorterSide: expected at least size, 64, got 32/);
  t.match(
    folder("augmentation: {randomResizedCrop: {scale: [1, 0.5]}}"),
    /randomResizedCrop\.scale: expected the smaller number first, got \[1,0\.5\]/,
  );
  t.match(
    about("data.augmentation={randomResizedCrop: {}}"),
    /randomResizedCrop: is not a setting; known here: crop, flip/,
  );
  t.match(about("data.augmentation={crop: 4}"), /data\.augmentation\.crop: expected settings, got 4/);
  t.match(about("data.normalization=measure"), /data\.normalization: expected "measured" or settings, got "measure"/);
  t.match(about("data.normalization={mean: [0, 0], deviation: [1]}"), /expected as many deviations as means/);
  t.end();
});

t.test("of a configuration that names images the rest may be missing, or wrong", (t) => {
  const images = "data: { name: npz, train: a.npz, test: b.npz }\nseed: 3\n";
  t.match(loadImages(file("images.yaml", images)), { seed: 3, data: { train: "a.npz" } });
  t.match(loadImages(file("run.yaml", "extends: images.yaml\nname: 7\nmethod: 5\n")), { seed: 3 });
  t.throws(() => loadImages(file("none.yaml", "seed: 3\n")), {
    name: "UsageError",
    message: /data: expected settings, got nothing \(.*none\.yaml\)/,
  });
  t.throws(() => loadImages(file("half.yaml", "data:\n  name: npz\n")), { message: /data\.test: .*half\.yaml:1/ });
  t.end();
});

t.test("files that are no configuration are refused", (t) => {
  t.match(complaint(join(folder, "missing.yaml")), /missing\.yaml.*ENOENT/);
  t.match(complaint(folder), /cannot read the configuration/);
  t.match(complaint(file("list.yaml", "- a\n")), /expected a mapping/);
  t.match(complaint(file("empty.yaml", "")), /expected a mapping/);
  t.match(complaint(file("twice.yaml", "a: 1\na: 2\n")), /twice\.yaml:2/);
  t.match(complaint(file("cycle.yaml", "extends: ./cycle.yaml\n")), /extends itself/);
  t.match(complaint(file("proto.yaml", "__proto__: { x: 1 }\n")), /__proto__: is not a setting/);
  t.match(complaint(file("large.yaml", `a: ${"x".repeat(2 ** 18)}\n`)), /larger than/);
  t.match(complaint(paper, ["nothing"]), /expected path=value/);
  t.match(complaint(paper, ["training.weights.momentum=0.9"]), /momentum: is not a setting/);
  t.match(
    complaint(paper, ["training.weights.schedule={name: multistep, milestones: [200]}"]),
    /before the last epoch/,
  );
  t.end();
});

t.test("the resolved form loads again to the same configuration", (t) => {
  const { config } = loadConfig("configs/mnist-lenet5-quick.yaml", { set: ["data.folder=/somewhere", "note='x: y'"] });
  const again = loadConfig(file("canonical.yaml", canonicalConfig(config))).config;
  t.strictSame(again, config);
  t.equal(configHash(again), configHash(config));
  t.end();
});

t.test("whatever is set, a configuration loads or is refused", (t) => {
  const path = fc.constantFrom(
    "seed",
    "data",
    "data.limit",
    "training.weights",
    "training.gates.schedule",
    "method.prior",
    "engine.threads",
    "name",
    "x.y",
  );
  lawHolds(
    t,
    fc.tuple(path, fc.json({ maxDepth: 2 })),
    ([name, value]) => void complaint(paper, [`${name}=${value}`]),
    300,
  );
  t.end();
});

t.test("what is wrong at length is told in short", (t) => {
  const keys = Array.from({ length: 100 }, (_, index) => `k${index}: 1`).join("\n");
  const message = complaint(
    file("many.yaml", `extends: ${join(process.cwd(), paper)}\n${keys}\nseed: "${"9".repeat(5000)}"\n`),
  );
  t.match(message, /seed: expected a number, got "9{199}… \(/);
  t.match(message, /\n {2}and 71 more$/);
  t.end();
});

t.test("an alias that names nothing is refused, with the setting", (t) => {
  t.match(complaint(paper, ["note=*nothing"]), /--set note=\*nothing: /);
  t.match(complaint(file("alias.yaml", "note: *nothing\n")), /alias\.yaml/);
  t.end();
});

t.test("a network is one of the zoo or a file, whichever is said last", (t) => {
  const own = file("network.yaml", `extends: ${join(process.cwd(), paper)}\nnetwork: { file: model.onnx }\n`);
  t.strictSame(loadConfig(own).config.network, { file: "model.onnx" });
  t.strictSame(loadConfig(own, { set: ["network.name=vgg7"] }).config.network, { name: "vgg7" });
  t.strictSame(loadConfig(paper, { set: ["network.file=/data/a.onnx"] }).config.network, { file: "/data/a.onnx" });
  t.match(complaint(own, ["network={name: vgg7, file: a.onnx}"]), /network\.file: is not a setting; known here: name/);
  t.match(complaint(paper, ["network.name=lenet6"]), /network\.name: expected "lenet5" or .*, got "lenet6"/);
  t.match(complaint(paper, ["network.file=3"]), /network\.file: expected a string, got 3/);
  t.match(complaint(paper, ["network.fiel=a.onnx"]), /network\.fiel: is not a setting; known here: name, file/);
  t.end();
});

t.test("a configuration without a name has its file's", async (t) => {
  const least = "{ data: { name: mnist }, network: { name: lenet5 }, method: { name: fp32 }, training: { epochs: 1 }";
  t.equal(loadConfig(file("my.first.yaml", `${least} }`)).config.name, "my.first");
  t.equal(loadConfig(file("other.yaml", `${least}, name: own }`)).config.name, "own");
});

t.test("a sweep is not loaded as one run", async (t) => {
  const sweep = file("sweep.yaml", `extends: ${join(process.cwd(), paper)}\nsweep: { grid: { seed: [1] } }\n`);
  t.match(
    complaint(sweep),
    /sweep\.yaml describes many runs, a sweep: start it with bayesian-bits sweep .*sweep\.yaml$/,
  );
});

t.test("a group that names no optimizer has Adam, but for the weights of fine-tuning", async (t) => {
  const groups = (...set: string[]) => {
    const { weights, gates, ranges, finetune } = loadConfig("configs/mnist-lenet5-quick.yaml", { set }).config.training;
    return [weights, gates, ranges, finetune?.weights, finetune?.ranges].map((group) => group?.optimizer);
  };
  const none = "training={epochs: 2, finetune: {epochs: 1}}";
  t.strictSame(groups(none), ["adam", "adam", "adam", "sgd", "adam"]);
  t.strictSame(groups("training={epochs: 2}"), ["adam", "adam", "adam", undefined, undefined]);
  const rates = "learningRate: 0.5";
  const { training } = loadConfig("configs/mnist-lenet5-quick.yaml", {
    set: [`training={epochs: 2, gates: {${rates}}, finetune: {epochs: 1, weights: {${rates}}}}`],
  }).config;
  t.match(training, { gates: { optimizer: "adam", learningRate: 0.5 } });
  t.match(training.finetune, { weights: { optimizer: "sgd", learningRate: 0.5 } });
  t.strictSame(
    groups(
      "training.ranges={optimizer: sgd}",
      "training.finetune={epochs: 1, weights: {optimizer: adam}, ranges: {optimizer: sgd}}",
    ),
    ["adam", "adam", "sgd", "adam", "sgd"],
  );
  t.match(complaint(paper, ["training=3"]), /training: expected settings, got 3/);
  t.match(complaint(paper, ["training.weights=3"]), /training\.weights: expected settings, got 3/);
  t.match(complaint(paper, ["training.finetune=3"]), /training\.finetune: expected settings, got 3/);
});
