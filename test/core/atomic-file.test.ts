import { execFileSync } from "node:child_process";
import fs, { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join, resolve } from "node:path";
import t from "tap";
import { makeFolder, writeFileAtomically, writeFileFrom } from "../../src/core/atomic-file.ts";
import { UserError } from "../../src/core/errors.ts";
import { explainFileError } from "../../src/core/file-errors.ts";
import { guardFolder } from "../../src/core/folder-guards.ts";

t.test("replaces a file and leaves nothing beside it", (t) => {
  const folder = t.testdir({ file: "old" });
  writeFileAtomically(join(folder, "file"), "new");
  writeFileAtomically(join(folder, "deep", "er", "bytes"), new Uint8Array([1, 2]));
  t.equal(readFileSync(join(folder, "file"), "utf8"), "new");
  t.strictSame(readdirSync(folder).toSorted(), ["deep", "file"]);
  t.end();
});

t.test("a path below a file is refused with its name", (t) => {
  const folder = t.testdir();
  writeFileSync(join(folder, "file"), "");
  t.throws(() => writeFileAtomically(join(folder, "file", "below"), ""), UserError);
  t.throws(() => writeFileAtomically(join(folder, "file", "below"), ""), { message: /cannot write .*below/ });
  t.end();
});

t.test("keeps what it replaces, where asked to", (t) => {
  const folder = t.testdir();
  const [path, keepOld] = [join(folder, "file"), join(folder, "before")];
  for (const content of ["1", "2", "3"]) writeFileAtomically(path, content, { keepOld });
  t.strictSame([readFileSync(path, "utf8"), readFileSync(keepOld, "utf8")], ["3", "2"]);
  t.end();
});

t.test("a cause with a remedy has it told", (t) => {
  const error = (code: string) => Object.assign(new Error(`${code}: it`), { code });
  t.equal(explainFileError(error("ENOSPC")), "ENOSPC: it; the disk is full: free space there");
  t.equal(explainFileError(error("EXOTIC")), "EXOTIC: it");
  t.equal(explainFileError(null), "null");
  t.end();
});

t.test("a relative folder of any length is made, and the call returns", (t) => {
  const folder = t.testdir();
  const module = resolve("src/core/atomic-file.ts");
  const script = `import { makeFolder } from ${JSON.stringify(module)}; makeFolder(process.argv[1]);`;
  // Folders whose names are shorter than that of a place above them, in a process of their own: one that never returns
  // is ended from outside.
  for (const name of ["r", "./s", "t/u", "v/checkpoints", "a/../b", "deep/../e/f"]) {
    execFileSync(
      process.execPath,
      ["--import", import.meta.resolve("tsx"), "--input-type=module", "-e", script, name],
      {
        cwd: folder,
        timeout: 20_000,
        killSignal: "SIGKILL",
      },
    );
    t.ok(existsSync(join(folder, name)), name);
  }
  t.doesNotThrow(() => makeFolder("/"));
  t.end();
});

t.test("a file system without fsync of folders is told once, and takes files", async (t) => {
  const folder = t.testdir();
  const { fsyncSync } = fs;
  const warnings: string[] = [];
  const hear = ({ message }: Error) => void warnings.push(message);
  process.on("warning", hear);
  const failWith = (code: string) => {
    fs.fsyncSync = (handle) => {
      if (fs.fstatSync(handle).isDirectory()) throw Object.assign(new Error(`${code}: injected, fsync`), { code });
      fsyncSync(handle);
    };
    syncBuiltinESMExports();
  };
  t.teardown(() => {
    process.off("warning", hear);
    fs.fsyncSync = fsyncSync;
    syncBuiltinESMExports();
  });
  for (const code of ["EINVAL", "ENOSYS", "ENOTSUP"]) {
    failWith(code);
    writeFileAtomically(join(folder, "new", code), "content");
    t.equal(readFileSync(join(folder, "new", code), "utf8"), "content");
  }
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(warnings.length, 1);
  t.match(warnings[0], /^the file system of .* cannot make writes durable \(EINVAL: injected, fsync\): /);
  failWith("EIO");
  t.throws(() => writeFileAtomically(join(folder, "new", "file"), ""), { message: /EIO.*the disk or its connection/ });
});

t.test("a folder that is lost in the middle of a write is the reason", async (t) => {
  const writes = {
    whole: (path: string) => writeFileAtomically(path, "new"),
    from: (path: string) => writeFileFrom(path, 0, "new"),
  };
  for (const [name, write] of Object.entries(writes)) {
    // A folder of that name: the file cannot be written.
    const folder = t.testdir({ file: {} });
    let asked = 0;
    const end = guardFolder(folder, () => {
      if (asked++ > 0) throw new UserError("lost");
    });
    t.throws(() => write(join(folder, "file")), { message: /^lost$/ }, name);
    end();
    t.throws(() => write(join(folder, "file")), { message: /cannot write/ }, name);
    t.strictSame(readdirSync(folder), ["file"]);
  }
});
