import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";

/** npm that installs what the lock file says and "builds" a program that prints its arguments. */
const goodNpm = `echo npm "$1" >> calls
case "$*" in
  ci*) mkdir -p node_modules/a
    sed 's#,"node_modules/for-another-system":{[^}]*}##' package-lock.json > node_modules/.package-lock.json;;
  *build*) mkdir -p dist && echo 'console.log("ran", ...process.argv.slice(2))' > dist/main.js;;
esac`;

const lock = (version: string) =>
  JSON.stringify({
    packages: {
      "": { name: "clone" },
      "node_modules/a": { version, integrity: `sha512-${version}` },
      "node_modules/for-another-system": { version, optional: true },
    },
  });

/** A clone of nothing but the set-up script, with an npm of its own. */
function clone(t: Test, npm = goodNpm) {
  const scripts = { "page-bundle.mjs": "" };
  const root = t.testdir({ bin: { npm: `#!/bin/sh\n${npm}\n` }, scripts, src: { "main.ts": "" } });
  spawnSync("chmod", ["+x", join(root, "bin", "npm")]);
  copyFileSync("scripts/setup.mjs", join(root, "scripts", "setup.mjs"));
  for (const name of ["tsconfig.json", "package.json"]) writeFileSync(join(root, name), "{}");
  writeFileSync(join(root, "package-lock.json"), lock("1.0.0"));
  const long = new Date("2020-01-01");
  for (const name of ["tsconfig.json", "package.json", "scripts/page-bundle.mjs", "src", "src/main.ts"]) {
    utimesSync(join(root, name), long, long);
  }
  return {
    root,
    setUp(...nodeArguments: string[]) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeArguments, "scripts/setup.mjs"], {
        cwd: root,
        encoding: "utf8",
        env: { ...process.env, PATH: `${join(root, "bin")}:/usr/bin:/bin`, NODE_OPTIONS: "" },
      });
      return { status, stdout, stderr };
    },
  };
}

const everything = "set-up: installing packages\nset-up: building\nran setup\n";
const nothing = "ran setup\n";
const skip = process.platform !== "linux" && "the stand-in for npm is a script for Linux";

t.test(
  "a fresh clone gets packages, a build and an engine; the next time only the engine is asked for",
  { skip },
  async (t) => {
    const { setUp, root } = clone(t);
    t.strictSame(setUp(), { status: 0, stdout: "", stderr: everything }, "standard output is left to the next command");
    t.strictSame(setUp(), { status: 0, stdout: "", stderr: nothing });
    writeFileSync(join(root, "package-lock.json"), lock("1.0.1"));
    t.match(setUp().stderr, "set-up: installing packages\nran setup\n");
    writeFileSync(join(root, "src", "new.ts"), "");
    const later = new Date(Date.now() + 5000);
    utimesSync(join(root, "src", "new.ts"), later, later);
    t.equal(setUp().stderr, "set-up: building\nran setup\n");
  },
);

t.test("packages that someone removed are installed again", { skip }, async (t) => {
  const { setUp, root } = clone(t);
  setUp();
  mkdirSync(join(root, "gone"));
  spawnSync("mv", [join(root, "node_modules", "a"), join(root, "gone")]);
  t.match(setUp().stderr, "installing packages");
  t.ok(existsSync(join(root, "node_modules", "a")));
});

t.test("a step that fails ends the set-up and is named; the next run does it again", { skip }, async (t) => {
  const noPackages = clone(t, "exit 7").setUp();
  t.equal(noPackages.status, 7);
  t.match(noPackages.stderr, /installing packages failed \(npm ci .*: exit code 7\)/);
  t.notMatch(noPackages.stderr, "building");

  const { setUp } = clone(t, goodNpm.replace("*build*)", "*build*) exit 2;;\n  never)"));
  for (const attempt of ["first", "second"]) {
    const { status, stderr } = setUp();
    t.equal(status, 2, attempt);
    t.match(stderr, /building failed \(npm run --silent build: exit code 2\)/);
  }
});

t.test("an old Node is told so before anything is done", { skip }, async (t) => {
  const { setUp, root } = clone(t);
  for (const node of ["18.20.4", "20.18.0"]) {
    const pretend = `data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"${node}"}})`;
    const { status, stderr } = setUp("--import", pretend);
    t.equal(status, 1);
    t.equal(stderr, `set-up: Node ${node} is too old: install Node 20.19 or newer (20, 22 and 24 are supported)\n`);
  }
  t.notOk(existsSync(join(root, "node_modules")));
});
