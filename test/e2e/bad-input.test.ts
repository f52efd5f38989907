import { cpSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { previousCheckpoint } from "../../src/runs/run-directory.ts";
import { run } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const config = "configs/mnist-lenet5-quick.yaml";
const data = writeSmallMnist(join(folder, "data"), { train: 40, test: 20 });
const finished = join(folder, "finished");
const write = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** One clear message, the right exit code, no stack trace. */
async function refused(t: Test, args: readonly string[], code: number, message: RegExp, start = runHere) {
  const ended = await start(...args);
  t.equal(ended.code, code, ended.stderr);
  t.match(ended.stderr, message);
  t.notMatch(ended.stderr, /\n\s+at /, "no stack trace");
  t.equal(ended.stdout, "");
}

const train = (...rest: string[]) => ["train", config, "--out", join(folder, "never"), ...rest];

t.test("bad configurations", async (t) => {
  await refused(t, ["train", join(folder, "none.yaml")], 2, /cannot read the configuration .*none\.yaml: ENOENT/, run);
  await refused(t, ["train", write("bad.yaml", "a: [1,\nb: 2")], 2, /bad\.yaml:\d/);
  await refused(t, ["train", write("list.yaml", "- 1\n")], 2, /expected a mapping/);
  const unknown = write("unknown.yaml", `extends: ${join(process.cwd(), config)}\ntraining:\n  epohcs: 3\n`);
  await refused(t, ["train", unknown], 2, /training\.epohcs: is not a setting; known here: epochs.*unknown\.yaml:3/);
  const wrong = write("wrong.yaml", `extends: ${join(process.cwd(), config)}\ndata: { batchSize: 128x }\nseed: -1\n`);
  await refused(t, ["train", wrong], 2, /data\.batchSize: expected a number, got "128x" \(.*wrong\.yaml:2\)/);
  await refused(t, ["train", wrong], 2, /seed: expected at least 0, got -1 \(.*wrong\.yaml:3\)/);
  await refused(t, train("--set", "__proto__.x=1"), 2, /--set __proto__\.x=1/);
  await refused(t, ["train"], 2, /missing required argument/, run);
  await refused(t, ["trian", "x"], 2, /unknown command/, run);
  const bare = await run();
  t.strictSame([bare.code, bare.stdout], [0, ""]);
  t.match(bare.stderr, /^Usage: bayesian-bits/);
  t.notMatch(bare.stderr, "outputHelp");
});

t.test("links that lead nowhere but back, wherever a path may stand", async (t) => {
  const loop = join(folder, "loop");
  symlinkSync("loop", loop);
  const deep = (name: string) => join(loop, ...new Array(300).fill("deeper"), name);
  const small = write("small.yaml", `extends: ${join(process.cwd(), config)}\ndata: { folder: ${data} }\n`);
  const vary = write("vary.yaml", `extends: small.yaml\nsweep: { list: [{ seed: 1 }] }\n`);
  const cases = [
    ["train", deep("a.yaml")],
    ["train", write("below.yaml", `extends: ${deep("a.yaml")}\n`)],
    ["train", small, "--out", deep("run")],
    ["sweep", vary, "--out", deep("runs")],
    ["train", small, "--set", `data.folder=${deep("mnist")}`],
    ["train", small, "--set", `data={name: folder, folder: ${deep("images")}, size: [28, 28]}`],
    [
      "train",
      write("npz.yaml", `extends: ${join(process.cwd(), config)}\ndata: { name: npz, train: ${deep("a")}, test: a }\n`),
    ],
    ["train", small, "--set", `network.file=${deep("a.onnx")}`],
    ["train", small, "--set", `training.from=${deep("run")}`],
    ["evaluate", deep("a.onnx"), "--data", "mnist", "--data-folder", data],
    ["evaluate", small, "--data", "mnist", "--data-folder", deep("mnist")],
    ["evaluate", small, "--data", deep("a.yaml")],
    ["export", deep("run")],
    ["report", deep("run")],
  ];
  await Promise.all(
    cases.map(async (args, index) => {
      const out = args[0] === "train" && !args.includes("--out") ? ["--out", join(folder, `looped-${index}`)] : [];
      const { code, stdout, stderr } = await runHere(...args, ...out);
      t.not(code, 0, args.join(" ").slice(0, 80));
      t.match(stderr, /^error: .*ELOOP.*\n$/);
      t.ok(stderr.length < 1000, `${stderr.length} characters`);
      t.equal(stdout, "");
    }),
  );
});

t.test("bad data", async (t) => {
  const bad = join(folder, "bad-data");
  cpSync(data, bad, { recursive: true });
  truncateSync(join(bad, "train-images-idx3-ubyte"), 5000);
  await refused(t, train("--set", `data.folder=${bad}`), 1, /train-images-idx3-ubyte: truncated at offset 5000/);
  await refused(t, train("--force", "--set", "data.folder=/nowhere"), 1, /data\.folder \/nowhere/);
});

t.test("run directories", async (t) => {
  const file = write("a-file", "");
  await refused(t, ["train", config, "--out", join(file, "run")], 1, /cannot create the run directory .*a-file/);
  const short = [
    "--set",
    `data.folder=${data}`,
    "--set",
    "training.epochs=1",
    "--set",
    "data.limit={train: 16, test: 10}",
  ];
  const { code, stderr } = await runHere("train", config, "--out", finished, ...short);
  t.equal(code, 0, stderr);
  await refused(t, ["train", config, "--out", finished, ...short], 2, /already holds a finished run/);
});

t.test("damaged files of a run", async (t) => {
  const damagedRecord = join(folder, "damaged-record");
  cpSync(finished, damagedRecord, { recursive: true });
  writeFileSync(join(damagedRecord, "record.json"), '{"format":"bayesian-bits-run","version":1}');
  await refused(t, ["report", damagedRecord], 1, /record\.json: the record is damaged/);
  await refused(t, ["report", folder], 1, /record\.json/);

  const damaged = join(folder, "damaged-checkpoint");
  cpSync(finished, damaged, { recursive: true });
  const checkpoint = join(damaged, "checkpoints", "last.safetensors");
  const bytes = readFileSync(checkpoint);
  bytes[bytes.length - 100]! ^= 1;
  writeFileSync(checkpoint, bytes);
  const { code, stderr } = await runHere("evaluate", damaged);
  t.equal(code, 0, stderr);
  t.match(stderr, /last\.safetensors: it is damaged \(checksum\): using the one before it, of step \d+/);
  truncateSync(previousCheckpoint(damaged), 1000);
  await refused(
    t,
    ["export", damaged],
    1,
    /last\.safetensors: it is damaged.*previous\.safetensors: it is damaged.*--force/,
  );
  mkdirSync(join(folder, "empty"), { recursive: true });
  await refused(t, ["evaluate", join(folder, "empty")], 1, /record\.json/);
});

t.test("not an ONNX file", async (t) => {
  const file = write("text.onnx", "this is no network");
  await refused(t, ["evaluate", file, "--data", "mnist", "--data-folder", data], 1, /text\.onnx/);
  await refused(t, ["evaluate", file], 2, /--data/);
});
