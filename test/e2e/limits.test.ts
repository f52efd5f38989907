import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { recordFile, writeRecord } from "../../src/runs/record-file.ts";
import { encodePlain } from "../fixtures/onnx/plain-model.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

const folder = t.testdir();
const config = "configs/mnist-lenet5-quick.yaml";
const onLinux = process.platform === "linux" ? {} : { skip: "Linux says so" };

/** Runs the built program from a shell; it has 20 seconds, and is then ended from outside. */
function shell(command: string, ...args: string[]) {
  const { status, signal, stdout, stderr } = spawnSync(
    "bash",
    // Without what the test runner puts into every process: it opens files of its own.
    ["-c", `unset NODE_OPTIONS; ${command}`, "bash", process.execPath, "dist/main.js", ...args],
    { encoding: "utf8", timeout: 20_000, killSignal: "SIGKILL" },
  );
  return { code: signal ?? status, stdout, stderr };
}

/** One line, with the cause and what to do. */
function refused(t: Test, { code, stderr }: ReturnType<typeof shell>, expected: { code: number; message: RegExp }) {
  t.equal(code, expected.code, stderr);
  t.match(stderr, expected.message);
  t.notMatch(stderr, /\n\s+at |internal error/, "neither a stack nor a defect");
}

t.test("folders that no run can have", onLinux, async (t) => {
  const train = (out: string) => shell('"$@"', "train", config, "--out", out);
  refused(t, train(""), { code: 2, message: /--out <dir>.*expected a name, got an empty one/ });
  refused(t, train("/"), { code: 2, message: /^error: --out \/: expected a folder of its own, got the root$/m });
  // Where mkdir says that what it should make does not exist.
  refused(t, train("/proc/x"), { code: 1, message: /cannot create the run directory \/proc\/x: .*--out/ });
});

t.test("limits of the system are told by their names", onLinux, async (t) => {
  for (const files of [25, 100]) {
    const ended = shell(`ulimit -n ${files}; "$@"`, "train", config, "--out", join(folder, "never"));
    refused(t, ended, { code: 1, message: /^error: EMFILE: .*raise the limit \(ulimit -n\)$/m });
  }
  const little = shell('ulimit -v 1000000; "$@"', "train", config, "--out", join(folder, "never"));
  refused(t, little, { code: 1, message: /^error: \d+ MiB of addresses are left.*raise the limit \(ulimit -v\)$/m });
  t.notOk(existsSync(join(folder, "never")));
});

t.test("results that cannot be written are a failure, of one line", onLinux, async (t) => {
  const run = join(folder, "reported");
  writeRecord(run, sampleRecord());
  const ended = shell('"$@" > /dev/full', "report", run);
  refused(t, ended, { code: 1, message: /^error: cannot write to standard output: ENOSPC.*free space there$/m });
  t.ok(existsSync(join(run, "report.html")), "what could be written is there");
  t.equal(shell('"$@" 2> /dev/full', "report", run).code, 0, "a log that cannot be written is no failure");
});

t.test("pipes where a run's files should be are refused, and not waited for", onLinux, async (t) => {
  const run = join(folder, "piped");
  mkdirSync(run);
  execFileSync("mkfifo", [join(run, "run.lock"), join(run, recordFile)]);
  const trained = shell('"$@"', "train", config, "--out", run);
  refused(t, trained, { code: 1, message: /cannot read .*run\.lock: it is not a file; .*remove this lock/ });
  refused(t, shell('"$@"', "report", run), { code: 1, message: /cannot read .*record\.json: it is not a file/ });
  const evaluated = shell('"$@"', "evaluate", join(run, "run.lock"), "--data", "mnist");
  refused(t, evaluated, { code: 1, message: /cannot read .*run\.lock: it is not a file/ });
});

t.test("a record of brackets is refused", async (t) => {
  const run = join(folder, "deep");
  mkdirSync(run);
  const deep = `${'{"a":'.repeat(30_000)}1${"}".repeat(30_000)}`;
  writeFileSync(join(run, recordFile), `{"format":"bayesian-bits-run","version":2,"config":${deep}}`);
  refused(t, shell('"$@"', "report", run), { code: 1, message: /nested more than 100 levels deep/ });
});

t.test("what a file's names would do to a terminal stays undone", async (t) => {
  const file = join(folder, "names.onnx");
  const evil = "\u001b]0;title\u0007\u001b[2J\u009b31m\u202e";
  const nodes = [{ opType: `Evil${evil}`, name: evil, input: ["x"], output: ["y"] }];
  const inputs = [{ name: "x", shape: [1, 1, 28, 28] }];
  writeFileSync(file, encodePlain({ opset: 17, nodes, tensors: [], inputs, outputs: [{ name: "y" }] }));
  const out = join(folder, "evil");
  const { stdout, stderr } = shell('"$@"', "train", config, "--set", `network.file=${file}`, "--out", out);
  t.match(stderr, /Evil.*\\u202e/);
  for (const text of [stdout, stderr, readFileSync(join(out, "events.ndjson"), "utf8")])
    t.notMatch(text, /(?!\n)[\p{Cc}\u202e]/u);
});
