import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import t, { type Test } from "tap";
import { merge, parseSetting, readSource, type Source, type Tree, withSetting } from "../../src/config/source.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const refused = (message: RegExp) => ({ name: "UsageError", exitCode: 2, message });

/** A folder with these files, and how to read one of them. */
function folderOf(t: Test, files: Readonly<Record<string, string>>) {
  const folder = t.testdir({ ...files });
  return { folder, read: (name: string) => readSource(join(folder, name)) };
}

const key = fc.constantFrom("a", "b", "c");
const value = fc.oneof(fc.integer(), fc.constant(null), fc.array(fc.integer(), { maxLength: 2 }));
const { tree } = fc.letrec<{ tree: Tree; node: unknown }>((tie) => ({
  tree: fc.dictionary(key, tie("node"), { maxKeys: 3, noNullPrototype: true }) as fc.Arbitrary<Tree>,
  node: fc.oneof({ maxDepth: 3 }, value, tie("tree")),
}));
const source = (tree: Tree): Source => ({ tree, places: new Map() });
const isMapping = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

t.test("what is said later wins, mapping by mapping; what it does not speak of stays", async (t) => {
  const check = (base: unknown, over: unknown, merged: unknown) => {
    if (!isMapping(base) || !isMapping(over)) {
      expect(JSON.stringify(merged) === JSON.stringify(over), `${JSON.stringify(merged)}`);
      return;
    }
    const result = merged as Tree;
    expect(
      `${Object.keys(result).toSorted()}` === `${[...new Set(Object.keys({ ...base, ...over }))].toSorted()}`,
      "keys",
    );
    for (const [key, inner] of Object.entries(result)) {
      if (key in over) check(base[key], over[key], inner);
      else expect(inner === base[key], `${key} changed`);
    }
  };
  lawHolds(t, fc.tuple(tree, tree), ([base, over]) => {
    const before = JSON.stringify([base, over]);
    check(base, over, merge(source(base), source(over)).tree);
    expect(JSON.stringify([base, over]) === before, "an argument changed");
  });
});

t.test("of settings that exclude each other the later one stays", async (t) => {
  const network = (before: unknown, after: unknown) =>
    merge(source({ network: before, seed: 1 }), source({ network: after })).tree;
  t.strictSame(network({ name: "a" }, { file: "b" }), { network: { file: "b" }, seed: 1 });
  t.strictSame(network({ file: "b" }, { name: "a" }), { network: { name: "a" }, seed: 1 });
  t.strictSame(network({ name: "a", more: 1 }, { file: "b" }).network, { more: 1, file: "b" });
  t.strictSame(network({ name: "a" }, { more: 1 }).network, { name: "a", more: 1 });
  t.strictSame(network({ name: "a" }, 3).network, 3);
  t.strictSame(network(null, { name: "a" }).network, { name: "a" });
});

t.test("a file extends others, relative to itself, the later ones over the earlier, itself over all", async (t) => {
  const { folder, read } = folderOf(t, {
    "own.yaml": "extends: [one.yaml, two.yaml]\nown: 1\nall: own\n",
    "one.yaml": "extends: base.yaml\none: 1\nboth: one\nall: one\n",
    "two.yaml": "extends: base.yaml\ntwo: 2\nboth: two\nall: two\n",
    "base.yaml": "base: 0\nall: base\n",
  });
  const { tree, places } = read("own.yaml");
  t.strictSame(tree, { base: 0, one: 1, two: 2, both: "two", own: 1, all: "own" });
  t.equal(places.get("both"), `${join(folder, "two.yaml")}:3`);
  t.equal(places.get("all"), `${join(folder, "own.yaml")}:3`);
  t.equal(places.get("base"), `${join(folder, "base.yaml")}:1`);
  writeFileSync(join(folder, "absolute.yaml"), `extends: ${join(folder, "base.yaml")}\n`);
  t.strictSame(read("absolute.yaml").tree, { base: 0, all: "base" });
});

t.test("what a file extends is a name or names, and never itself", async (t) => {
  const { folder, read } = folderOf(t, {
    "number.yaml": "seed: 1\nextends: 3\n",
    "one.yaml": "extends: two.yaml\n",
    "two.yaml": "extends: one.yaml\n",
    "missing.yaml": "extends: nowhere.yaml\n",
  });
  t.throws(
    () => read("number.yaml"),
    refused(/^extends: expected a file name or a list of them, got 3 \(.*number\.yaml:2\)$/),
  );
  t.throws(() => read("one.yaml"), refused(/one\.yaml: extends itself: .*one\.yaml → .*two\.yaml → .*one\.yaml$/));
  t.throws(() => read("missing.yaml"), refused(/cannot read the configuration .*nowhere\.yaml: ENOENT/));
  writeFileSync(join(folder, "json.yaml"), '{ "extends": [{ "a": 1 }] }');
  t.throws(() => read("json.yaml"), refused(/got \{"a":1\} \(.*json\.yaml:1\)/));
});

t.test("each setting and each item of a list knows where it was written", async (t) => {
  const { folder, read } = folderOf(t, { "a.yaml": "# first\na:\n  b: 1\n  c:\n    - 2\n    - d: 3\n5: x\n" });
  const lines = Object.fromEntries(read("a.yaml").places);
  const at = (line: number) => `${join(folder, "a.yaml")}:${line}`;
  t.strictSame(lines, {
    a: at(2),
    "a.b": at(3),
    "a.c": at(4),
    "a.c.0": at(5),
    "a.c.1": at(6),
    "a.c.1.d": at(6),
    "5": at(7),
  });
});

t.test("text that is no configuration is refused with its file, and the line where there is one", async (t) => {
  const { folder, read } = folderOf(t, {
    "syntax.yaml": "a: 1\nb: [1,\nc: 2\n",
    "twice.yaml": "a: 1\na: 2\n",
    "scalar.yaml": "hello\n",
    "proto.yaml": "a:\n  - constructor: 1\n",
    "prototype.yaml": "prototype: 1\n",
    "edge.yaml": `#${"x".repeat(2 ** 20 - 1 - "\na: 1".length)}\na: 1`,
    "bomb.yaml": `a: &a [1]\n${["b", "c", "d"].map((key, i) => `${key}: &${key} [${`*${"abc"[i]},`.repeat(9)}]`).join("\n")}\n`,
  });
  t.throws(() => read("syntax.yaml"), refused(/^cannot read the configuration: .*\(.*syntax\.yaml:\d\)/));
  t.throws(() => read("twice.yaml"), refused(/twice\.yaml:2\)/));
  t.throws(() => read("scalar.yaml"), refused(/scalar\.yaml: expected a mapping of settings at the top/));
  t.throws(() => read("proto.yaml"), refused(/^a\.0\.constructor: is not a setting \(.*proto\.yaml:2\)$/));
  t.throws(() => read("prototype.yaml"), refused(/^prototype: is not a setting/));
  t.throws(() => read("bomb.yaml"), refused(/cannot read the configuration .*bomb\.yaml: .*alias/));
  t.strictSame(read("edge.yaml").tree, { a: 1 }, "1 MiB is not too much");
  writeFileSync(join(folder, "latin1.yaml"), Buffer.from("note: \xe9\n", "latin1"));
  t.throws(() => read("latin1.yaml"), refused(/cannot read the configuration .*latin1\.yaml: .*utf-8/i));
});

t.test("--set takes a path and a YAML value", async (t) => {
  const set = (setting: string) => parseSetting(setting).tree;
  t.strictSame(set("training.epochs=3"), { training: { epochs: 3 } });
  t.strictSame(set("note=a=b"), { note: "a=b" }, "the value may hold an equals sign");
  t.strictSame(set("a={b: [1, x]}"), { a: { b: [1, "x"] } });
  t.strictSame(set("a="), { a: null });
  t.strictSame(Object.fromEntries(parseSetting("a.b.c=1").places), {
    a: "--set a.b.c=1",
    "a.b": "--set a.b.c=1",
    "a.b.c": "--set a.b.c=1",
  });
  for (const wrong of ["nothing", "=3", "a..b=1", ".a=1", "a.=1", "a.constructor.b=1", "__proto__=1"]) {
    t.throws(() => set(wrong), refused(/^--set .*: expected path=value, as training\.epochs=3$/), wrong);
  }
  t.throws(() => set("a=[1"), refused(/^--set a=\[1: /));
  t.throws(() => set("a=[&b 1, *b]"), refused(/^--set a=\[&b 1, \*b\]: .*alias/i));
});

t.test("a setting takes the place of all that stood at its path", async (t) => {
  const base: Source = {
    tree: { a: { b: { old: 1 }, bc: 2 }, d: 3 },
    places: new Map([
      ["a", "f:1"],
      ["a.b", "f:2"],
      ["a.b.old", "f:3"],
      ["a.bc", "f:4"],
      ["d", "f:5"],
    ]),
  };
  const written = new Map([
    ["", "g:1"],
    [".new", "g:2"],
  ]);
  const { tree, places } = withSetting(base, { path: "a.b", value: { new: 9 }, written });
  t.strictSame(tree, { a: { b: { new: 9 }, bc: 2 }, d: 3 });
  t.strictSame(Object.fromEntries(places), { a: "f:1", "a.b": "g:1", "a.b.new": "g:2", "a.bc": "f:4", d: "f:5" });
  t.strictSame(base.tree, { a: { b: { old: 1 }, bc: 2 }, d: 3 }, "the base stays as it was");
  const at = (path: string) => withSetting(base, { path, value: 1, written: new Map() }).tree;
  t.strictSame(at("x.y"), { a: { b: { old: 1 }, bc: 2 }, d: 3, x: { y: 1 } });
  t.strictSame(at("d.e"), { a: { b: { old: 1 }, bc: 2 }, d: { e: 1 } }, "a value gives way to a mapping");
  t.strictSame(at("a"), { a: 1, d: 3 });
  const network = { tree: { network: { name: "lenet5" } }, places: new Map() };
  t.strictSame(withSetting(network, { path: "network.file", value: "x", written: new Map() }).tree, {
    network: { file: "x" },
  });
});
