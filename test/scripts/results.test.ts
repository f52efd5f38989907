import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { codebookTable } from "../../scripts/results/codebook-table.ts";
import { compactRecord } from "../../scripts/results/compact-records.ts";
import { publishedRuns } from "../../scripts/results/published.ts";
import { roundingTable } from "../../scripts/results/rounding-table.ts";
import { trainingTable } from "../../scripts/results/training-table.ts";
import { unfinishedTable } from "../../scripts/results/unfinished-table.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { writeRecord } from "../../src/runs/record-file.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

const record = sampleRecord();
const result = { ...record.result!, metrics: { top1: 99 }, relativeBops: 0.4 };
const rowsOf = (table: string) => table.trimEnd().split("\n").slice(2);

t.test("runs that differ in their seed are one row with mean and deviation", async (t) => {
  const seeds = [2, 1].map((seed) => ({
    config: "three",
    record: {
      ...record,
      seed,
      config: { ...record.config, seed },
      result: { ...result, metrics: { top1: 99 + seed / 10 } },
    },
  }));
  const rows = rowsOf(trainingTable(seeds)).filter((row) => row.includes("three"));
  t.equal(rows.length, 1);
  t.match(rows[0], /\[three\]\(\.\.\/configs\/three\.yaml\), \d+ epochs, seeds 1, 2 \|/);
  t.match(rows[0], "| 99.15 ± 0.07\u202f% | 0.400 ± 0.000\u202f% |");
});

t.test("runs that hold images out to choose by are no results", async (t) => {
  const held = (validationImages: number) => ({ ...record, data: { ...record.data, validationImages } });
  const runs = [0, 1].map((images) => ({ config: `held-${images}`, record: held(images) }));
  t.strictSame(trainingTable(runs).match(/held-\d\]/g), ["held-0]"]);
});

t.test("runs of a sweep have their names, the cheapest first", async (t) => {
  const runs = ["dear", "cheap"].map((name, index) => ({
    config: "front",
    record: {
      ...record,
      name,
      config: { ...record.config, name, training: { ...record.config.training, epochs: 1 + index } },
      result: { ...result, relativeBops: 3 - index },
    },
  }));
  const names = rowsOf(trainingTable(runs)).flatMap(
    (row) => /front, (\w+)\]\(\.\.\/configs\/front\.yaml\)/.exec(row)?.[1] ?? [],
  );
  t.strictSame(names, ["cheap", "dear"]);
});

const budgeted = (relativeBops: number, seed: number) =>
  parseConfig({ ...record.config, seed, method: { name: "bayesian-bits", prior: { target: { relativeBops } } } });

t.test("points of a sweep with several seeds each are told apart", async (t) => {
  const runs = [0.3, 0.6].flatMap((budget) =>
    [1, 2].map((seed) => ({
      config: "front",
      record: { ...record, seed, name: `budget-${budget}_seed-${seed}`, config: budgeted(budget, seed) },
    })),
  );
  const rows = rowsOf(trainingTable(runs)).filter((row) => row.includes("front"));
  t.match(rows, [/\[front, budget-0\.3\].*, seeds 1, 2 \|/, /\[front, budget-0\.6\].*, seeds 1, 2 \|/]);
  t.equal(rows.length, 2);
});

t.test("single runs and those of sweeps are found where git knows their records", async (t) => {
  const project = t.testdir();
  const git = (...args: readonly string[]) => execFileSync("git", args, { cwd: project });
  for (const place of ["alone", "sweep/runs/one", "sweep/runs/one/deeper", "mine"]) {
    mkdirSync(join(project, "reports", place), { recursive: true });
    writeRecord(join(project, "reports", place), { ...record, name: place });
  }
  git("init", "--quiet");
  git("add", "reports/alone", "reports/sweep");
  t.strictSame(
    publishedRuns(project).map(({ record, config }) => [record.name, config]),
    [
      ["alone", "alone"],
      ["sweep/runs/one", "sweep"],
    ],
  );
});

t.test("networks that are quantized without training have their own table", async (t) => {
  const postTraining = { images: 512, floatMetrics: { top1: 99.5 }, bits: {}, layers: [], quantizers: {} };
  const runs = (["nearest", "bit-split"] as const).map((name, index) => ({
    config: "rounded",
    record: {
      ...record,
      postTraining,
      config: parseConfig({
        ...record.config,
        method: { name, bits: { weights: 3 } },
        training: { from: "reports/float" },
      }),
      result: { ...result, metrics: { top1: 97 + index } },
    },
  }));
  t.notMatch(trainingTable(runs), "rounded");
  const rows = rowsOf(roundingTable(runs));
  t.equal(rows.length, 1);
  t.match(rows[0], "| weights 3, activations 8 | 99.50\u202f% | 97.00\u202f% |  | 98.00\u202f% |");
  const others = runs.map(({ config, record }) => ({
    config,
    record: { ...record, postTraining: { ...postTraining, floatMetrics: { top1: 90 }, images: 16 } },
  }));
  t.equal(rowsOf(roundingTable([...runs, ...others])).length, 2, "another network, in a row of its own");
});

t.test("what was not run to the end costs its step's time for each image", async (t) => {
  const config = (epochs: number, header = "# Cost: a lot; not run to the end here.") =>
    `${header}\ndata: { name: cifar10 }\nnetwork: { name: vgg7 }\nmethod: { name: fp32 }\ntraining: { epochs: ${epochs} }\n`;
  // 100 ms for 50 images: 100 s an epoch.
  const step = { network: "vgg7", batch: 50, case: "fp32", medianMs: 100 };
  const project = (...steps: readonly object[]) =>
    t.testdir({
      configs: { "a.yaml": config(36), "b.yaml": config(36), "c.yaml": config(3600), "run.yaml": config(1, "") },
      reports: { "step-times.ndjson": `${steps.map((step) => JSON.stringify(step)).join("\n")}\n` },
    });
  t.strictSame(rowsOf(unfinishedTable(project({ ...step, case: "quantized-2-32", medianMs: 1 }, step))), [
    "| [a](../configs/a.yaml), [b](../configs/b.yaml) | vgg7 on cifar10 | 100 ms for 50 images | 36 epochs of 50,000 images | 1\u202fh |",
    "| [c](../configs/c.yaml) | vgg7 on cifar10 | 100 ms for 50 images | 3,600 epochs of 50,000 images | 4 days |",
  ]);
  t.throws(() => unfinishedTable(project({ ...step, network: "lenet5" })), { message: /no step of a/ });
});

t.test("a committed record has six digits of its curves, and pictures where they are shown", async (t) => {
  const whole = {
    name: "run",
    seed: 0.123456789,
    epochs: [{ loss: 0.123456789, quantizers: [{ id: "w", gates: [0.123456789, 1e-7 / 3], open: true }] }, { loss: 1 }],
    findings: { worst: [{ png: "AAAA", label: 1 }], none: [] },
  };
  const compact = (shown: boolean) => compactRecord(JSON.stringify(whole, null, 1), { shown });
  const epochs = [
    { loss: 0.123456789, quantizers: [{ id: "w", gates: [0.123457, 3.33333e-8], open: true }] },
    { loss: 1 },
  ];
  t.equal(compact(true), `${JSON.stringify({ ...whole, epochs })}\n`);
  t.equal(compact(false), `${JSON.stringify({ ...whole, epochs, findings: { worst: [], none: [] } })}\n`);
  t.equal(compactRecord(compact(true), { shown: true }), compact(true));
});

t.test("codebooks are set beside integers of the same network, the smallest first, stage by stage", async (t) => {
  const rows = rowsOf(codebookTable(publishedRuns()));
  const of = (title: string) => rows.find((row) => row.includes(`| ${title} |`))!.split(" | ");
  t.equal(
    of("blocks of 9, 128 centroids")
      .slice(4)
      .filter((cell) => /\d/.test(cell)).length,
    4,
    "all stages",
  );
  t.equal(
    of("2 bits")
      .slice(4)
      .filter((cell) => /\d/.test(cell)).length,
    2,
    "AdaRound and Bit-Split",
  );
  const sizes = rows.map((row) => Number.parseFloat(row.split(" | ")[2]!));
  t.strictSame(
    sizes,
    sizes.toSorted((one, other) => one - other),
  );
  t.equal(
    codebookTable([{ config: "lone", record }])
      .trimEnd()
      .split("\n").length,
    2,
    "none without codebooks",
  );
});
