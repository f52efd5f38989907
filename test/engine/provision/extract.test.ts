import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { extractZip, placeInEngine } from "../../../src/engine/provision/extract.ts";
import { zip } from "../../fixtures/zip.ts";

function archive(t: Test, entries: Readonly<Record<string, string>>): { path: string; folder: string } {
  const root = t.testdir({ out: {} });
  const path = join(root, "wheel.whl");
  writeFileSync(path, zip(entries));
  return { path, folder: join(root, "out") };
}

t.test("entries go where they are placed, with their sizes and hashes; others are left out", async (t) => {
  const { path, folder } = archive(t, { "a/b.txt": "hello", "a/c.txt": "not wanted", "a/": "" });
  const files = await extractZip(path, folder, (name) => (name === "a/b.txt" ? "x/y/z.txt" : null));
  const sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  t.strictSame(files, [{ path: "x/y/z.txt", bytes: 5, sha256 }]);
  t.equal(readFileSync(join(folder, "x/y/z.txt"), "utf8"), "hello");
  t.strictSame(readdirSync(folder), ["x"]);
});

t.test("a program stays one", { skip: process.platform === "win32" && "modes are Unix's" }, async (t) => {
  const { path, folder } = archive(t, { "bin/ptxas": "", "lib/lib.so": "" });
  const bytes = readFileSync(path);
  // External attributes of the first entry in the archive's directory.
  bytes.writeUInt32LE(0o100744 * 2 ** 16, bytes.indexOf("PK\x01\x02") + 38);
  writeFileSync(path, bytes);
  await extractZip(path, folder, (entry) => entry);
  const isProgram = (name: string) => (statSync(join(folder, name)).mode & 0o100) !== 0;
  t.strictSame(["bin/ptxas", "lib/lib.so"].map(isProgram), [true, false]);
});

for (const name of ["../evil.h", "a/../../evil.h", "/evil.h", "C:/evil.h", "a\\..\\..\\evil.h"]) {
  t.test(`an archive with the entry ${name} is refused`, async (t) => {
    const { path, folder } = archive(t, { [name]: "evil" });
    await t.rejects(
      extractZip(path, folder, (entry) => entry),
      { name: "UserError", message: /cannot unpack wheel\.whl: / },
    );
    t.strictSame(readdirSync(folder), []);
    t.notOk(existsSync(join(folder, "..", "evil.h")));
  });
}

t.test("a place outside the folder is refused, whatever the entry's name", async (t) => {
  const { path, folder } = archive(t, { "honest.h": "evil" });
  await t.rejects(
    extractZip(path, folder, () => "../evil.h"),
    { message: /its entry honest\.h leaves the folder/ },
  );
  t.notOk(existsSync(join(folder, "..", "evil.h")));
});

t.test("two entries of one name, a truncated archive and what is no archive are refused", async (t) => {
  const { path, folder } = archive(t, { "a.h": "first", "b.h": "second" });
  await t.rejects(
    extractZip(path, folder, () => "same.h"),
    UserError,
  );
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, whole.length - 30));
  await t.rejects(extractZip(path, folder, placeInEngine), UserError);
  writeFileSync(path, "not a zip");
  await t.rejects(extractZip(path, folder, placeInEngine), UserError);
});

t.test("of TensorFlow's wheel the two libraries and the headers of its C interface are kept", async (t) => {
  t.equal(placeInEngine("tensorflow/libtensorflow_cc.so.2"), "lib/libtensorflow_cc.so.2");
  t.equal(placeInEngine("tensorflow/libtensorflow_framework.2.dylib"), "lib/libtensorflow_framework.2.dylib");
  const header = "tensorflow/c/eager/c_api.h";
  t.equal(placeInEngine(`tensorflow/include/${header}`), `include/${header}`);
  t.equal(placeInEngine("tensorflow/include/tsl/platform/ctstring.h"), "include/tsl/platform/ctstring.h");
  for (const other of [
    "tensorflow/include/tensorflow/core/graph.h",
    "tensorflow/python/a.py",
    "libtensorflow_cc.so.2",
  ]) {
    t.equal(placeInEngine(other), null, other);
  }
});
