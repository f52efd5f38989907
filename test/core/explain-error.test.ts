import t from "tap";
import { UsageError, UserError } from "../../src/core/errors.ts";
import { explainedError } from "../../src/core/explain-error.ts";
import { printable } from "../../src/core/printable.ts";

const explained = (error: unknown) => explainedError(error, { verbose: false });

t.test("defects are told as such, what a person can act on is not", async (t) => {
  t.strictSame(explained(new UsageError("--out: no")), { text: "error: --out: no", exitCode: 2 });
  t.strictSame(explained(new TypeError("x")), { text: "internal error (please report it): x", exitCode: 1 });
  t.strictSame(explained("x"), { text: "internal error (please report it): x", exitCode: 1 });
  t.match(explainedError(new TypeError("x"), { verbose: true }).text, /: x\nTypeError: x\n\s+at /);
});

t.test("a limit of the system has its remedy, once, also as the cause of another error", async (t) => {
  const limit = Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  const remedy = "too many files are open: raise the limit (ulimit -n)";
  t.strictSame(explained(limit), { text: `error: ${limit.message}; ${remedy}`, exitCode: 1 });
  const wrapped = (message: string) => new UserError(message, { cause: limit });
  t.equal(explained(wrapped("cannot read a")).text, `error: cannot read a; ${remedy}`);
  t.equal(explained(wrapped(`cannot read a; ${remedy}`)).text, `error: cannot read a; ${remedy}`);
  t.match(explained(new RangeError("Array buffer allocation failed")).text, /^error: .*ulimit -v/);
});

t.test("a package that is there and cannot be opened is a limit too, one that is not there a defect", async (t) => {
  const folder = t.testdir({ there: {} });
  const missing = (name: string) => new Error(`Cannot find package '${folder}/${name}/index.js' imported from x.js`);
  t.match(
    explained(missing("there")).text,
    /^error: EMFILE: .*there\/index.js cannot be opened; too many files are open/,
  );
  t.match(explained(missing("gone")).text, /^internal error/);
});

t.test("control characters are shown by their codes, which JSON reads back", async (t) => {
  const text = "a\tb\n\u001b[2J\u009b\u007f\u0000ä→\u202e";
  t.equal(printable(text), "a\tb\n\\u001b[2J\\u009b\\u007f\\u0000ä→\\u202e");
  t.equal(JSON.parse(printable(JSON.stringify(text))), text);
});
