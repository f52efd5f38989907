import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { RunRecord } from "../../src/runs/record.ts";
import { readRecord, recordFile, writeRecord } from "../../src/runs/record-file.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";
import { classificationOf } from "../fixtures/tasks.ts";

/** A run folder whose record is this text. */
function folderWith(t: { testdir(content: Record<string, string>): string }, text: string): string {
  return t.testdir({ [recordFile]: text });
}

const failure = (pattern: RegExp) => ({ name: "UserError", exitCode: 1, message: pattern });

t.test("a record reads back as it was written, and equal records give equal bytes", async (t) => {
  const folder = t.testdir({});
  writeRecord(folder, sampleRecord());
  t.strictSame(readRecord(folder), sampleRecord());
  const first = readFileSync(join(folder, recordFile), "utf8");
  const { format, ...rest } = sampleRecord();
  writeRecord(folder, { ...rest, format });
  t.equal(readFileSync(join(folder, recordFile), "utf8"), first, "whatever the order of the keys");
  t.match(first, /\}\n$/);
  t.strictSame(readdirSync(folder), [recordFile], "nothing is left beside it");
});

t.test("a record of the first program, which kept less, still loads", async (t) => {
  const { analysis: _, ...record } = sampleRecord();
  const { graph: __, ...network } = record.network;
  const { latency: ___, ...verification } = record.exports[0]!.verification!;
  const old = { ...record, network, exports: [{ ...record.exports[0]!, verification }] };
  t.strictSame(readRecord(folderWith(t, JSON.stringify(old))), old);
});

t.test("a picture that is no base64 is refused", async (t) => {
  const record = sampleRecord();
  const worst = [{ ...classificationOf(record.findings).worst![0]!, png: '"><script>' }];
  const text = JSON.stringify({ ...record, findings: { ...record.findings!, worst } });
  t.throws(() => readRecord(folderWith(t, text)), failure(/findings\.worst\[0\]\.png/));
});

t.test("a record that could not be read back is not written", async (t) => {
  const folder = t.testdir({});
  const record = sampleRecord();
  const broken = { ...record, epochs: [{ ...record.epochs[0]!, relativeBops: Number.NaN }] };
  t.throws(() => writeRecord(folder, broken), /epochs\[0\]\.relativeBops/);
  t.strictSame(readdirSync(folder), []);
});

t.test("a folder without a record is named, with the remedy", async (t) => {
  const folder = t.testdir({ file: "" });
  t.throws(() => readRecord(folder), failure(/record\.json: there is no such file; is .* the folder of a run\?/));
  t.throws(() => readRecord(join(folder, "file")), failure(/there is no such file/));
});

t.test("text that is not JSON is said to be so", async (t) => {
  t.throws(() => readRecord(folderWith(t, '{"format": "bayes')), failure(/record\.json: it is not JSON/));
});

t.test("another program's JSON is not taken for a record", async (t) => {
  t.throws(() => readRecord(folderWith(t, '{"version": 2}')), failure(/it is not the record of a run/));
});

t.test("a newer version is refused before its content is judged", async (t) => {
  const newer = '{"format": "bayesian-bits-run", "version": 99}';
  t.throws(() => readRecord(folderWith(t, newer)), failure(/it has version 99, and this program reads up to 3/));
});

t.test("damage is named with its place in the record", async (t) => {
  const record = JSON.parse(JSON.stringify(sampleRecord()));
  record.epochs[2].quantizers["fc1.quantizer"].bits = 5;
  delete record.seed;
  t.throws(
    () => readRecord(folderWith(t, JSON.stringify(record))),
    failure(/the record is damaged[\s\S]*seed[\s\S]*epochs\[2\]\.quantizers\.fc1\.quantizer\.bits/),
  );
});

t.test("only the first few places are listed", async (t) => {
  const folder = folderWith(t, '{"format": "bayesian-bits-run", "version": 2}');
  t.throws(
    () => readRecord(folder),
    failure(/damaged; run again, or restore the file\n( {2}\w+: .*\n){5} {2}and \d+ more$/),
  );
  const { name: _, seed: __, status: ___, data: ____, ...rest } = sampleRecord();
  const missing = (record: object) => folderWith(t, JSON.stringify(record));
  t.throws(() => readRecord(missing(rest)), failure(/\n( {2}\w+: .*\n){3} {2}\w+: .*$/), "four are all listed");
  t.throws(() => readRecord(missing({ ...rest, times: 1 })), failure(/\n( {2}\w+: .*\n){4} {2}\w+: .*$/), "five too");
  t.throws(() => readRecord(missing({ ...rest, times: 1, epochs: 1 })), failure(/\n {2}and 1 more$/));
});

t.test("what cannot be written is a UserError", async (t) => {
  const folder = t.testdir({ [recordFile]: { "a folder": "where the file should be" } });
  t.throws(() => writeRecord(folder, sampleRecord()), failure(/cannot write .*record\.json/));
});

t.test("a record that is there but cannot be read says why", async (t) => {
  const folder = t.testdir({ [recordFile]: {} });
  t.throws(() => readRecord(folder), failure(/^cannot read .*record\.json: EISDIR[^;]*$/));
});

t.test("a broken record is told by its places, also where it is no record at all", async (t) => {
  const folder = t.testdir({});
  const nothing = undefined as unknown as RunRecord;
  t.throws(() => writeRecord(folder, nothing), {
    message: /^the run's record breaks its schema:\n {2}the whole record: /,
  });
});
