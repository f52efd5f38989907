import { execFileSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
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

t.test("each file is read once, however many ways lead to it", async (t) => {
  // 2^20 ways lead from the first to the last.
  const levels = Array.from({ length: 20 }, (_, level) => [
    [`a${level}.yaml`, `extends: [a${level + 1}.yaml, b${level + 1}.yaml]\na: ${level}\n`],
    [`b${level}.yaml`, `extends: [a${level + 1}.yaml, b${level + 1}.yaml]\nb: ${level}\n`],
  ]).flat();
  const files = { ...Object.fromEntries(levels), "a20.yaml": "c: 1\n", "b20.yaml": "d: 2\n" };
  t.strictSame(folderOf(t, files).read("a0.yaml").tree, { c: 1, d: 2, a: 0, b: 1 });
});

t.test("files that extend one another without end are refused shortly", async (t) => {
  const chain = Array.from({ length: 5000 }, (_, index) => [`${index}.yaml`, `extends: ${index + 1}.yaml\n`]);
  const { folder, read } = folderOf(t, { ...Object.fromEntries(chain), "5000.yaml": "a: 1\n", "loop.yaml": "" });
  t.throws(() => read("0.yaml"), refused(/^.*50\.yaml: more than 50 files that extend one another in a row$/));
  t.strictSame(read("4951.yaml").tree, { a: 1 }, "fifty are not too many");
  // Each turn through a link would be another path of the same file.
  symlinkSync(".", join(folder, "here"));
  writeFileSync(join(folder, "loop.yaml"), "extends: here/loop.yaml\n");
  t.throws(() => read("loop.yaml"), refused(/here\/loop\.yaml: extends itself: .*loop\.yaml → .*loop\.yaml$/));
  symlinkSync("round.yaml", join(folder, "round.yaml"));
  t.throws(() => read("round.yaml"), refused(/^cannot read the configuration .*round\.yaml: ELOOP/));
  writeFileSync(join(folder, "ring-0.yaml"), "extends: ring-1.yaml\n");
  writeFileSync(join(folder, "ring-1.yaml"), "extends: ring-0.yaml\n");
  t.throws(() => read("ring-0.yaml"), refused(/extends itself/));
});

t.test("what is no file, or is too large with all that it extends, is refused before it is read", async (t) => {
  const { folder, read } = folderOf(t, {
    "half.yaml": `#${"x".repeat(2 ** 17)}\na: 1`,
    "other.yaml": `#${"x".repeat(2 ** 17)}\na: 1`,
    "both.yaml": "extends: [half.yaml, other.yaml]\n",
    "device.yaml": "extends: /dev/null\n",
  });
  t.throws(() => read("both.yaml"), refused(/other\.yaml: with what it extends, it is larger than 262144 bytes$/));
  t.throws(() => read("device.yaml"), refused(/cannot read the configuration \/dev\/null: it is not a file$/));
  t.throws(() => read("."), refused(/: it is not a file$/));
  execFileSync("mkfifo", [join(folder, "pipe.yaml")]);
  t.throws(() => read("pipe.yaml"), refused(/pipe\.yaml: it is not a file$/));
});

t.test("a second document in a file is told of in words of configurations", async (t) => {
  const { read } = folderOf(t, { "two.yaml": "a: 1\n---\nb: 2\n" });
  t.throws(
    () => read("two.yaml"),
    refused(/^cannot read the configuration: a second document begins: .* without --- \(.*two\.yaml:2\)$/),
  );
  t.throws(() => parseSetting("a=1\n---\n2"), refused(/: a second document begins: one file is one configuration/));
});

t.test("keys that stand twice in one mapping are found, among any number of them", async (t) => {
  const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`);
  const { read } = folderOf(t, {
    "twice.yaml": [...keys, "k7: 2"].join("\n"),
    "nested.yaml": "a:\n  b: 1\n  c: { d: 1, 'd': 2 }\n",
  });
  t.throws(() => read("twice.yaml"), refused(/^k7: is there twice \(.*twice\.yaml:20001\)$/));
  t.throws(() => read("nested.yaml"), refused(/^a\.c\.d: is there twice \(.*nested\.yaml:3\)$/));
  t.throws(() => parseSetting("a={b: 1, b: 2}"), refused(/^b: is there twice \(--set a=\{b: 1, b: 2\}\)$/));
  t.throws(() => parseSetting("a={constructor: 1}"), refused(/^constructor: is not a setting/));
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
    "edge.yaml": `#${"x".repeat(2 ** 18 - 1 - "\na: 1".length)}\na: 1`,
    "bomb.yaml": `a: &a [1]\n${["b", "c", "d"].map((key, i) => `${key}: &${key} [${`*${"abc"[i]},`.repeat(9)}]`).join("\n")}\n`,
  });
  t.throws(() => read("syntax.yaml"), refused(/^cannot read the configuration: .*\(.*syntax\.yaml:\d\)/));
  t.throws(() => read("twice.yaml"), refused(/twice\.yaml:2\)/));
  t.throws(() => read("scalar.yaml"), refused(/scalar\.yaml: expected a mapping of settings at the top/));
  t.throws(() => read("proto.yaml"), refused(/^a\.0\.constructor: is not a setting \(.*proto\.yaml:2\)$/));
  t.throws(() => read("prototype.yaml"), refused(/^prototype: is not a setting/));
  t.throws(() => read("bomb.yaml"), refused(/cannot read the configuration .*bomb\.yaml: .*alias/));
  t.strictSame(read("edge.yaml").tree, { a: 1 }, "256 KiB is not too much");
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
