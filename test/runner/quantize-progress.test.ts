import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseQuantize } from "../../src/config/load-quantize.ts";
import { type ProgressOf, progressFile, QuantizeProgress } from "../../src/runner/quantize-progress.ts";
import { programOf } from "../../src/runner/run-environment.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

const settings = parseQuantize({ network: { file: "it.onnx" } });
const of: ProgressOf = {
  sha256: "1",
  dataSha256: null,
  settings,
  measured: null,
  environment: null,
  program: programOf(),
  runtime: "a runtime",
};
const made = (folder: string): string => {
  const progress = new QuantizeProgress(folder, of, { resume: false });
  progress.keep("first", 1.5);
  progress.keep("second", { codes: "AAAA" });
  return join(folder, progressFile);
};

t.test("what was kept is known to the run that goes on, which adds to it", async (t) => {
  const folder = t.testdir({});
  const path = made(folder);
  const resumed = new QuantizeProgress(folder, of, { resume: true });
  t.equal(resumed.count, 2);
  t.equal(resumed.recall("first"), 1.5);
  t.strictSame(resumed.recall("second"), { codes: "AAAA" });
  t.equal(resumed.recall("third"), null);
  resumed.keep("third", 3);
  t.equal(new QuantizeProgress(folder, of, { resume: true }).recall("third"), 3);
  resumed.remove();
  t.notOk(existsSync(path));
  t.throws(() => new QuantizeProgress(folder, of, { resume: true }), {
    name: "UsageError",
    message: /no run that was/,
  });
});

t.test("cut off anywhere, or followed by something else, what stands whole is taken", async (t) => {
  const folder = t.testdir({});
  const whole = readFileSync(made(folder));
  const path = join(folder, progressFile);
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    const resumed = new QuantizeProgress(folder, of, { resume: true });
    t.ok([0, 1].includes(resumed.count), `${resumed.count} of ${length} bytes`);
    resumed.keep("again", 4);
    const next = new QuantizeProgress(folder, of, { resume: true });
    t.equal(next.count, resumed.count);
    t.equal(next.recall("again"), 4);
  }
  writeFileSync(path, whole);
  appendFileSync(path, Buffer.alloc(100));
  t.equal(new QuantizeProgress(folder, of, { resume: true }).count, 2);
});

t.test("of another file, other data or other settings it is refused; names and thresholds may differ", async (t) => {
  const folder = t.testdir({});
  made(folder);
  const other = (changes: object) => parseQuantize({ network: { file: "it.onnx" }, ...changes });
  for (const changed of [
    { ...of, sha256: "2" },
    { ...of, dataSha256: "3" },
    { ...of, runtime: "another" },
    { ...of, program: { ...of.program, version: "another" } },
    { ...of, environment: sampleRecord().environment },
    { ...of, settings: other({ seed: 2 }) },
    { ...of, settings: other({ bits: { weights: 4 } }) },
  ]) {
    t.throws(() => new QuantizeProgress(folder, changed, { resume: true }), { name: "UsageError", message: /--force/ });
  }
  const named = { ...of, settings: other({ name: "another", note: "more" }) };
  t.equal(new QuantizeProgress(folder, named, { resume: true }).count, 2);
  t.equal(new QuantizeProgress(folder, of, { resume: false }).count, 0, "begun anew");
});

t.test("a run that ends before anything was found leaves nothing to go on with", async (t) => {
  const folder = t.testdir({});
  const path = join(folder, progressFile);
  {
    using progress = new QuantizeProgress(folder, of, { resume: false });
    t.ok(existsSync(path));
    t.equal(progress.count, 0);
  }
  t.notOk(existsSync(path));
  {
    using progress = new QuantizeProgress(folder, of, { resume: false });
    progress.keep("first", 1);
  }
  t.ok(existsSync(path));
});
