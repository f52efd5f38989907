import { appendFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { lastError, logSize } from "../../src/sweep/log-error.ts";

t.test("the last error since the start is told, none of an earlier session", async (t) => {
  const log = join(t.testdir(), "run.log");
  t.equal(logSize(log), 0);
  t.equal(lastError(log, 0), null, "there is no log yet");
  appendFileSync(log, "epoch 1\nerror: cannot read the data\n    at somewhere\nerror: the disk is full\n");
  t.equal(lastError(log, 0), "the disk is full");
  const started = logSize(log);
  t.equal(lastError(log, started), null, "the session has said nothing");
  appendFileSync(log, "no error: this line is none\n");
  t.equal(lastError(log, started), null);
  appendFileSync(log, "internal error: a defect\n");
  t.equal(lastError(log, started), "internal error: a defect");
});

t.test("of a long log the end alone is searched", async (t) => {
  const log = join(t.testdir(), "run.log");
  appendFileSync(log, `error: long ago\n${"epoch\n".repeat(20_000)}`);
  t.equal(lastError(log, 0), null);
  appendFileSync(log, "error: now\n");
  t.equal(lastError(log, 0), "now");
});
