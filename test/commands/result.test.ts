import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseMaxDrop, requireMaxDrop } from "../../src/commands/max-drop.ts";
import { printResult } from "../../src/commands/result.ts";
import { runTrain } from "../../src/commands/train-command.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { exitCodes } from "../../src/core/errors.ts";
import { keepBaselines } from "../../src/runs/baselines.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { writeRecord } from "../../src/runs/record-file.ts";
import { quietContext } from "../fixtures/context.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

t.test("--json lists the files that are there, with their sizes", async (t) => {
  const record = sampleRecord();
  const [exported] = record.exports;
  const folder = t.testdir({ [exported!.file]: "onnx", "report.html": "page", "bits.json": "{}" });
  const lines: string[] = [];
  printResult(folder, record, { json: true, print: (line) => void lines.push(line) });
  t.strictSame(JSON.parse(lines.join("")).files, [
    { kind: "network", form: exported!.form, path: join(folder, exported!.file), bytes: 4 },
    { kind: "report", path: join(folder, "report.html"), bytes: 4 },
    { kind: "bits", path: join(folder, "bits.json"), bytes: 2 },
  ]);
});

/** The sample within a budget, and its folder, which has a baseline in float32 of 99.2 %. */
function heldAgainst(root: string, relativeBops: number) {
  const record = sampleRecord();
  const float = {
    ...record,
    name: "float",
    config: parseConfig({ ...record.config, method: { name: "fp32" } }),
    result: { ...record.result!, metrics: { top1: 99.2 } },
  };
  writeRecord(join(root, "float"), float);
  keepBaselines(join(root, "run"), [join(root, "float")]);
  const config = parseConfig({
    ...record.config,
    method: { name: "bayesian-bits", prior: { target: { relativeBops } } },
  });
  return { folder: join(root, "run"), record: { ...record, config } };
}

function printed(folder: string, record: RunRecord, json: boolean) {
  const lines: string[] = [];
  const against = printResult(folder, record, { json, print: (line) => void lines.push(line) });
  return { against, text: lines.join("\n") };
}

t.test("a result is held against float32 and its budget, on the terminal and in --json", async (t) => {
  const { folder, record } = heldAgainst(t.testdir({ run: {}, float: {} }), 0.3);
  const { text } = printed(folder, record, false);
  t.match(text, /float32 {4}99\.20 % top-1 float: −0\.14 \(95 % interval −0\.4\d to \+0\.1\d, Newcombe’s, unpaired\)/);
  t.match(text, /budget {5}0\.359 of 0\.3 % relative BOPs: NOT MET/);
  const machine = JSON.parse(printed(folder, record, true).text);
  t.match(machine.againstFloat, { metric: "top1", reference: "baseline", source: "float", float: 99.2, value: 99.06 });
  t.equal(machine.againstFloat.intervalKind, "newcombe-unpaired");
  t.equal(machine.againstFloat.interval.length, 2);
  t.match(machine.budget, { kind: "relativeBops", limit: 0.3, met: false });
  const alone = JSON.parse(printed(t.testdir({ alone: {} }), sampleRecord(), true).text);
  t.strictSame([alone.againstFloat, alone.budget], [null, null]);
});

t.test("--max-drop fails with an exit code of its own, and where there is nothing to hold against", async (t) => {
  const { folder, record } = heldAgainst(t.testdir({ run: {}, float: {} }), 0.4);
  const { against } = printed(folder, record, true);
  t.doesNotThrow(() => requireMaxDrop(folder, against, undefined));
  t.doesNotThrow(() => requireMaxDrop(folder, against, 0.14), "up to the limit");
  t.throws(() => requireMaxDrop(folder, against, 0.1), {
    exitCode: exitCodes.dropped,
    message: `${folder}: top-1 99.06 % is 0.14 below float32 (99.20 %, float), and --max-drop allows 0.1`,
  });
  t.equal(exitCodes.dropped, 3);
  t.doesNotThrow(() => requireMaxDrop(folder, null, undefined));
  t.throws(() => requireMaxDrop(folder, null, 0.1), {
    exitCode: exitCodes.failed,
    message: /report .* --baseline RUN/,
  });
  t.equal(parseMaxDrop("0.5"), 0.5);
  for (const text of ["", "x", "-1", "NaN", "Infinity"]) t.throws(() => parseMaxDrop(text), /expected a number from 0/);
});

t.test("train on a finished run judges it by --max-drop", async (t) => {
  const { folder, record } = heldAgainst(t.testdir({ run: {}, float: {} }), 0.4);
  writeRecord(folder, record);
  const config = join(folder, "settings.json");
  writeFileSync(config, JSON.stringify(record.config));
  const run = (maxDrop: number) =>
    runTrain(
      { config, set: [], out: folder, resume: true, force: false, maxDrop },
      { ...quietContext(), print: () => {} },
    );
  await t.rejects(run(0.1), { message: /0.14 below float32/ });
  await t.resolves(run(0.2));
});
