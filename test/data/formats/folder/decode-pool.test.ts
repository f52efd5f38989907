import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { truncate, writeImageFolder } from "../../../fixtures/image-folder.ts";

const root = t.testdir();
const folder = await writeImageFolder(join(root, "pictures"), { parts: { train: 20, val: 2 }, classes: 2 });
truncate(join(folder, "train", "class-1", "2.jpg"));

/** Runs lines in a process of their own, on the build, in which `dataset` is that folder, and which never closes it. */
function runUnclosed(lines: string) {
  const moduleOf = (path: string) => JSON.stringify(resolve("dist", path));
  const script = `
    import { data } from ${moduleOf("config/sections/data-settings.js")};
    import { loadDataset } from ${moduleOf("data/load-dataset.js")};
    import { silent } from ${moduleOf("core/progress.js")};
    const config = data.parse({ name: "folder", folder: ${JSON.stringify(folder)}, size: 16, workers: 1 });
    const dataset = await loadDataset(config, { seed: 1, reporter: silent, targets: "classes" });
    ${lines}`;
  const program = join(root, "unclosed.mjs");
  writeFileSync(program, script);
  const { status, signal, stderr } = spawnSync(process.execPath, [program], {
    encoding: "utf8",
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  return { status, signal, stderr };
}

t.test("closing comes to an end though an answer has come and nobody has looked at it", { timeout: 120_000 }, (t) => {
  const ended = runUnclosed(`
    const epoch = dataset.test.batches({ batchSize: 4 });
    for await (const _ of epoch) ;
    dataset.test.batches({ batchSize: 4 }).next().catch(() => {});
    const until = performance.now() + 500;
    while (performance.now() < until);
    await dataset.close();
    process.exitCode = 7;`);
  t.match(ended, { status: 7, signal: null }, ended.stderr.split("\n").slice(0, 9).join(" "));
  t.end();
});

t.test("no reading thread keeps a process alive that has nothing left to do", { timeout: 300_000 }, (t) => {
  const ends: readonly (readonly [when: string, lines: string, status: number])[] = [
    ["nothing was read", "", 0],
    [
      "whole epochs, and others that a reader left midway",
      `for (const stop of [false, true]) {
        for await (const _ of dataset.test.batches({ batchSize: 1 })) if (stop) break;
      }
      dataset.train.epoch({ epoch: 0, batchSize: 8 }).next().catch(() => {});`,
      0,
    ],
    ["a damaged image", "for await (const _ of dataset.train.batches({ batchSize: 4 })) ;", 1],
  ];
  for (const [when, lines, status] of ends) {
    const ended = runUnclosed(lines);
    t.match(ended, { status, signal: null }, `${when}: ${ended.stderr.split("\n").slice(0, 9).join(" ")}`);
  }
  t.end();
});
