import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { exitCodes } from "../../../src/core/errors.ts";
import { engineFolder, locateEngine, packageBinding } from "../../../src/engine/provision/locate.ts";
import { type ProvisionOptions, provisionEngine } from "../../../src/engine/provision/provision.ts";
import { type FakeMachine, fakeMachine, goodTools, setEnvironment } from "../../fixtures/fake-machine.ts";

if (process.platform !== "linux") {
  t.comment("the stand-ins for pip and g++ are scripts for Linux");
  process.exit(0);
}

const works = async () => {};

/** Provisions on `machine`, where every binding works unless `more` says otherwise. */
function provision(t: Test, machine: FakeMachine, more: Partial<ProvisionOptions> = {}) {
  setEnvironment(t, { BAYESIAN_BITS_ENGINE: "", BAYESIAN_BITS_DEVICE: "", ...machine.environment });
  const { reporter, sources } = machine;
  return provisionEngine({ reporter, sources, probe: works, ...more });
}

/** What the package's own installer would do. */
const installs = `
const { mkdirSync, writeFileSync } = require("node:fs");
if (process.argv.slice(2).join() !== "cpu,download") throw new Error("called with " + process.argv);
mkdirSync("lib/napi-v8", { recursive: true });
writeFileSync("lib/napi-v8/tfjs_binding.node", "prebuilt");
`;

t.test("the engine is built from the wheel: libraries, headers, binding, manifest, and nothing else", async (t) => {
  const machine = fakeMachine(t.testdir());
  const { kind, reason } = await provision(t, machine);
  t.equal(kind, "native");
  t.equal(reason, "built from the wheel tensorflow-cpu 2.21.0");
  t.strictSame(machine.warnings, []);
  t.equal(machine.engines().length, 1);
  const folder = engineFolder(machine.wheel);
  t.strictSame(readdirSync(folder).sort(), ["include", "lib", "manifest.json", "tfjs_binding.node"]);
  t.strictSame(readdirSync(join(folder, "lib")).sort(), [
    "libquantizer.so",
    "libquiet.so",
    "libtensorflow_cc.so.2",
    "libtensorflow_framework.so.2",
  ]);
  const link = packageBinding(machine.sources.package!);
  t.ok(lstatSync(link).isSymbolicLink(), "tfjs-node finds it too");
  t.equal(readFileSync(link, "utf8"), "binding\n");
});

t.test("a second set-up calls no tool; a package that npm ci made anew is linked again", async (t) => {
  const machine = fakeMachine(t.testdir());
  await provision(t, machine);
  const calls = machine.calls().length;
  t.ok(calls > 0);
  const anew = join(t.testdirName, "anew");
  const { kind } = await provision(t, machine, { sources: { ...machine.sources, package: anew } });
  t.equal(kind, "native");
  t.equal(machine.calls().length, calls);
  t.ok(existsSync(packageBinding(anew)));
});

t.test("a wheel with another hash ends the set-up: nothing of it is kept, nothing else is tried", async (t) => {
  const machine = fakeMachine(t.testdir(), goodTools, installs);
  const wheel = { ...machine.wheel, sha256: "0".repeat(64) };
  const foreign = `has SHA-256 ${machine.wheel.sha256} instead of ${wheel.sha256} and is not used`;
  const ended = provision(t, machine, { sources: { ...machine.sources, wheels: [wheel] } });
  await t.rejects(ended, { exitCode: exitCodes.failed, message: new RegExp(foreign) });
  t.strictSame(machine.engines(), []);
  t.notOk(existsSync(packageBinding(machine.sources.package!)), "the package's own installer was not run");
});

t.test("too little room is said before anything is downloaded", async (t) => {
  const machine = fakeMachine(t.testdir());
  const wheel = { ...machine.wheel, unpackedBytes: 1e18 };
  await provision(t, machine, { sources: { ...machine.sources, wheels: [wheel] } });
  t.match(machine.warnings[0], /needs 1000000000000 MB in .*, where \d+ MB are free: make room, or let XDG_CACHE_HOME/);
  t.notOk(machine.calls().some((call) => call.includes("download")));
});

const { python3, "g++": compiler } = goodTools as { python3: string; "g++": string };
const lacking = [
  { name: "no compiler", tools: { python3 }, message: /a C\+\+ compiler .* is missing.*apt install g\+\+/ },
  { name: "no Python", tools: { "g++": compiler }, message: /Python is missing.*apt install python3 python3-pip/ },
  {
    name: "no pip",
    tools: { "g++": compiler, python3: '[ "$1" = --version ]' },
    message: /pip is missing from python3.*apt install python3-pip/,
  },
  {
    name: "no network",
    tools: { "g++": compiler, python3: '[ "$3" = download ] || exit 0\necho "ERROR: no route to index" >&2; exit 1' },
    message: /pip could not download tensorflow-cpu 2\.21\.0: ERROR: no route to index; check the network/,
  },
  {
    name: "a compiler that fails",
    tools: { python3, "g++": '[ "$1" = --version ] && exit 0\necho "binding.cc:1: error: no such type"; exit 1' },
    message: /g\+\+ could not compile the binding: binding\.cc:1: error: no such type; a current g\+\+/,
  },
];
for (const { name, tools, message } of lacking) {
  t.test(`${name}: named with its remedy in one warning, WebAssembly is left`, async (t) => {
    const machine = fakeMachine(t.testdir(), tools, installs);
    const { kind, reason } = await provision(t, machine);
    t.equal(kind, "wasm");
    t.equal(reason, "no native engine: none has been set up; run npm run setup");
    t.equal(machine.warnings.length, 1);
    t.match(machine.warnings[0], message);
    t.match(machine.warnings[0], /\. Training uses WebAssembly, .*: remedy the cause, then run npm run setup/);
    t.notOk(existsSync(packageBinding(machine.sources.package!)), "the package's own installer was not run");
    t.strictSame(machine.engines(), [], "nothing half-made is left");
  });
}

t.test("a Python without pip does not hide one with it", async (t) => {
  const machine = fakeMachine(t.testdir(), { ...goodTools, python3: '[ "$1" = --version ]', python: python3 });
  t.equal((await provision(t, machine)).kind, "native");
});

t.test("an engine that does not run here is not kept", async (t) => {
  const machine = fakeMachine(t.testdir());
  const probe = () => Promise.reject(new Error("needs AVX"));
  t.equal((await provision(t, machine, { probe })).kind, "wasm");
  t.match(machine.warnings[0], "needs AVX");
  t.strictSame(machine.engines(), []);
});

t.test("what a killed set-up left is cleared; what a living one works on stays", async (t) => {
  const machine = fakeMachine(t.testdir());
  setEnvironment(t, machine.environment);
  const folder = engineFolder(machine.wheel);
  const dead = `${folder}.${hostname()}.${2 ** 22 + 1}.0.part`;
  const living = `${folder}.${hostname()}.${process.ppid}.0.part`;
  const elsewhere = `${folder}.another.host.7.0.part`;
  for (const path of [dead, living, elsewhere]) mkdirSync(join(path, "lib"), { recursive: true });
  t.equal((await provision(t, machine)).kind, "native");
  t.notOk(existsSync(dead));
  t.ok(existsSync(living));
  t.ok(existsSync(elsewhere));
});

const library = (folder: string) => join(folder, "lib", "libtensorflow_cc.so.2");

/** Other bytes of the same number. */
const overwrite = (folder: string) => writeFileSync(library(folder), Buffer.alloc(statSync(library(folder)).size));

/** The same, with the time that the file had. */
function overwriteQuietly(folder: string): void {
  const { atime, mtime } = statSync(library(folder));
  overwrite(folder);
  utimesSync(library(folder), atime, mtime);
}

t.test("a process that ended while it loaded the engine has the next start look at every byte", async (t) => {
  const machine = fakeMachine(t.testdir());
  await provision(t, machine);
  const folder = engineFolder(machine.wheel);
  const before = new Date(Date.now() - 10_000);
  utimesSync(library(folder), before, before);
  overwriteQuietly(folder);
  t.equal(locateEngine(machine.sources).kind, "native", "size and time are those that were");
  const dead = spawnSync(process.execPath, ["-e", ""]);
  writeFileSync(join(folder, `loading.${dead.pid}`), "");
  t.match(locateEngine(machine.sources), { kind: "wasm", reason: /libtensorflow_cc\.so\.2 has not the SHA-256/ });
  await provision(t, machine);
  t.equal(locateEngine(machine.sources).kind, "native");
});

t.test("a copied engine is looked at once, and goes on", async (t) => {
  const machine = fakeMachine(t.testdir());
  await provision(t, machine);
  const folder = engineFolder(machine.wheel);
  const later = new Date(Date.now() + 10_000);
  utimesSync(library(folder), later, later);
  t.equal(locateEngine(machine.sources).kind, "native");
  const now = new Date();
  utimesSync(library(folder), now, now);
  t.equal(locateEngine(machine.sources).kind, "native");
});

t.test("so it does where a file system tells times in steps of two seconds", async (t) => {
  const machine = fakeMachine(t.testdir());
  await provision(t, machine);
  const folder = engineFolder(machine.wheel);
  const manifest = join(folder, "manifest.json");
  const stepped = (milliseconds: number) => new Date(2000 * Math.floor(milliseconds / 2000));
  const [before, later] = [stepped(Date.now() - 20_000), stepped(Date.now() - 10_000)];
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    utimesSync(join(folder, name), later, later);
  utimesSync(manifest, before, before);
  t.equal(locateEngine(machine.sources).kind, "native");
  const marked = stepped(statSync(manifest).mtimeMs);
  utimesSync(manifest, marked, marked);
  overwriteQuietly(folder);
  t.equal(locateEngine(machine.sources).kind, "native", "nothing is looked at again");
});

for (const [name, damage] of [
  ["a library of other bytes", overwrite],
  ["a library of other bytes and the same time", overwriteQuietly],
  ["a truncated library", (folder: string) => truncateSync(join(folder, "lib", "libtensorflow_cc.so.2"), 3)],
  ["a damaged manifest", (folder: string) => writeFileSync(join(folder, "manifest.json"), "{")],
] as const) {
  t.test(`an engine with ${name} is never used: it is built again`, async (t) => {
    const machine = fakeMachine(t.testdir());
    await provision(t, machine);
    damage(engineFolder(machine.wheel));
    if (damage !== overwriteQuietly) {
      const reason = /^no native engine: it is damaged: .*(bytes instead of|SHA-256|no manifest).*; run npm run setup$/;
      t.match(locateEngine(machine.sources), { kind: "wasm", reason });
    }
    t.equal((await provision(t, machine)).kind, "native");
    t.not(statSync(library(engineFolder(machine.wheel))).size, 0);
    t.strictSame(machine.warnings, []);
    t.equal(machine.engines().length, 1);
  });
}

t.test("of two set-ups at once both end with the same whole engine", async (t) => {
  const machine = fakeMachine(t.testdir());
  const both = await Promise.all([provision(t, machine), provision(t, machine)]);
  t.strictSame(both[0], both[1]);
  t.equal(both[0].kind, "native");
  t.strictSame(machine.warnings, []);
  t.equal(machine.engines().length, 1);
});

t.test("stopping ends the tools, removes what was begun, and tries no other way", async (t) => {
  const machine = fakeMachine(t.testdir(), {
    ...goodTools,
    python3: '[ "$3" = download ] || exit 0\n/bin/sleep 60 & wait',
  });
  const stop = new AbortController();
  const started = Date.now();
  setTimeout(() => stop.abort("SIGTERM"), 500);
  await t.rejects(provision(t, machine, { signal: stop.signal }), {
    message: /set-up was stopped/,
    exitCode: exitCodes.terminated,
  });
  t.ok(Date.now() - started < 20_000, "the sleeping child has ended with its parent");
  t.strictSame(machine.warnings, []);
  t.strictSame(machine.engines(), []);
});

t.test("BAYESIAN_BITS_ENGINE=wasm asks for nothing; native accepts nothing less; others are refused", async (t) => {
  const machine = fakeMachine(t.testdir(), { python3 });
  const asking = (engine: string) =>
    provision(t, { ...machine, environment: { ...machine.environment, BAYESIAN_BITS_ENGINE: engine } });
  t.strictSame(await asking("wasm"), { kind: "wasm", reason: "BAYESIAN_BITS_ENGINE=wasm" });
  t.strictSame([machine.calls(), machine.warnings], [[], []]);
  await t.rejects(asking("native"), {
    message: /BAYESIAN_BITS_ENGINE=native, but there is no native engine/,
    exitCode: exitCodes.failed,
  });
  await t.rejects(asking("cuda"), { message: /expected auto, native or wasm, got "cuda"/, exitCode: exitCodes.usage });
});

t.test(
  "asking for a GPU builds its wheel beside the other; where that fails, the engine that is there stays",
  async (t) => {
    const machine = fakeMachine(t.testdir());
    await provision(t, machine);
    const gpu = { ...machine.wheel, project: "tensorflow", device: "gpu" as const };
    const asking = (changed: Partial<typeof gpu>) =>
      provision(
        t,
        { ...machine, environment: { ...machine.environment, BAYESIAN_BITS_DEVICE: "gpu" } },
        {
          sources: { ...machine.sources, wheels: [{ ...gpu, ...changed }, machine.wheel] },
        },
      );
    const kept = await asking({ unpackedBytes: 1e18 });
    t.match(kept, { kind: "native", reason: /tensorflow-cpu.*BAYESIAN_BITS_DEVICE=gpu npm run setup/ });
    t.equal(machine.warnings.length, 1);
    await t.rejects(asking({ sha256: "0".repeat(64) }), /is not used: pip's index serves another file/);
    t.match(await asking({}), { kind: "native", reason: "built from the wheel tensorflow 2.21.0" });
    t.equal(machine.engines().length, 2);
  },
);
