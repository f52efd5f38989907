import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { writeFileAtomically } from "../../src/core/atomic-file.ts";
import { UserError } from "../../src/core/errors.ts";
import { explainFileError } from "../../src/core/file-errors.ts";

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
