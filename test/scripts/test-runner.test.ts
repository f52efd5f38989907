import { spawnSync } from "node:child_process";
import { join } from "node:path";
import t, { type Test } from "tap";

/** `npm test` with these files alone, as from a shell. */
function runTests(t: Test, files: Readonly<Record<string, string>>) {
  const folder = t.testdir(files);
  const names = Object.keys(files).map((name) => join(folder, name).slice(process.cwd().length + 1));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TAP")));
  const args = ["--import", "tsx", "scripts/test/main.ts", ...names];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
  return { status, stdout, stderr, names };
}

const begin = 'import t from "tap";\n';
const passes = `${begin}t.test("it", async (t) => { t.ok(true); t.equal(import.meta.url.slice(-8), ".test.ts"); });`;

t.test(
  "what fails, by itself or by its process, fails the whole, and is told by its place in TypeScript",
  async (t) => {
    const { status, stdout, stderr, names } = runTests(t, {
      "differs.test.ts": `${begin}interface Unused { readonly a: 1 }\n\nt.test("it", async (t) => { t.equal(1, 2); });`,
      "exits.test.ts": `${passes}\nt.teardown(() => { process.exitCode = 3; });`,
      "killed.test.ts": `${begin}t.pass();\nprocess.kill(process.pid, "SIGKILL");\nawait new Promise(() => {});`,
      "passes.test.ts": passes,
    });
    t.equal(status, 1);
    const told = Array.from(stdout.matchAll(/^(not ok|ok) \d+ - (\S+)/gm), ([, how, name]) => [name, how]);
    t.strictSame(
      told.toSorted(),
      names.map((name) => [name, name.endsWith("passes.test.ts") ? "ok" : "not ok"]),
    );
    t.match(stdout, /fileName: \S+differs\.test\.ts\n *lineNumber: 4\n/);
    t.match(stdout, /exitCode: 3/);
    t.match(stdout, /signal: SIGKILL/);
    t.match(stdout, /^# \{ total: 7, pass: 5, fail: 2 \}$/m, "the sum that .ci/run reads");
    const [heading, ...slowest] = stderr.trim().split("\n");
    t.equal(heading, "The slowest of 4 test files, in seconds:");
    t.strictSame(slowest.map((line) => line.replace(/^ +\d+\.\d {2}/, "")).toSorted(), names);
  },
);

t.test("files that do not compile are a failure", async (t) => {
  const { status, stderr } = runTests(t, { "broken.test.ts": "const a = ;" });
  t.equal(status, 1);
  t.match(stderr, /broken\.test\.ts:1:10/);
});
