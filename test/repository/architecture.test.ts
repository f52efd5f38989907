import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";

const architecture = readFileSync("ARCHITECTURE.md", "utf8");

const filesUnder = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const sources = new Map(
  filesUnder("src")
    .filter((file) => file.endsWith(".ts") && !file.includes("/generated/"))
    .map((file) => [file, readFileSync(file, "utf8")]),
);

/** The text below a heading, up to the next of its level. */
function sectionOf(heading: string): string {
  const [, rest = ""] = architecture.split(`\n## ${heading}\n`);
  return rest.split("\n## ")[0] ?? "";
}

/** What is added, as "A kind of node", with its checklist. */
const checklists = new Map(
  sectionOf("To add something")
    .split(/^(?=\*\*)/m)
    .slice(1)
    .map((list): [string, string] => [/^\*\*([^*.]+)\.?\*\*/.exec(list)?.[1] ?? list, list]),
);

const pathsIn = (text: string): readonly string[] =>
  [...text.matchAll(/`((?:src|test|configs|scripts)\/[^`]*)`/g)].flatMap(([, path]) => path ?? []);

t.test("it is short enough to be read", async (t) => {
  t.ok(architecture.trimEnd().split("\n").length <= 150);
});

t.test("every file that a checklist names is there, and new ones have their folder", async (t) => {
  t.ok(checklists.size >= 7);
  for (const [name, list] of checklists) {
    const paths = pathsIn(list);
    t.ok(paths.length > 0, name);
    for (const path of paths)
      t.ok(existsSync(path.includes("NAME") ? dirname(`${path.split("NAME")[0]}x`) : path), `${name}: ${path}`);
  }
});

/** By checklist: what a table that has to have every kind looks like. */
const tables: Readonly<Record<string, RegExp>> = {
  "A kind of node": /(?:: ByKind<\w*(?:Node|Layer)\b|\[K in (?:Node\["kind"\]|FrozenKind)\])/,
  "A method": /case "bayesian-bits"/,
  "A task": /\[Name in TaskName\]/,
  "A data set": /case "mnist"/,
  "A form of exported file": /Readonly<Record<ExportForm,/,
};

for (const [name, pattern] of Object.entries(tables)) {
  t.test(`every table that the compiler checks is in the checklist: ${name}`, async (t) => {
    const named = pathsIn(checklists.get(name) ?? "");
    const found = [...sources].filter(([, text]) => pattern.test(text)).map(([file]) => file);
    t.ok(found.length > 0);
    for (const file of found) t.ok(named.includes(file), file);
  });
}

t.test("the functions that a run passes through are there", async (t) => {
  const names = [...sectionOf("One run through the code").matchAll(/`([A-Za-z]\w*(?:\.\w+)?)`/g)];
  t.ok(names.length > 20);
  const all = [...sources.values()].join("\n");
  for (const [, name = ""] of names) {
    const [own = "", method] = name.split(".");
    t.match(all, new RegExp(`\\b(?:function|const|class|interface|type) ${own}\\b|\\b${own}\\(`), name);
    if (method) t.match(all, new RegExp(`^ {2}(?:async )?${method}\\(`, "m"), name);
  }
});

t.test("the table of folders is the order of imports", async (t) => {
  const order = /const order = \[([\s\S]*?)\];/.exec(readFileSync(".dependency-cruiser.cjs", "utf8"))?.[1] ?? "";
  const folders = [...sectionOf("The folders").matchAll(/^\| ([a-z]+) \|/gm)].flatMap(([, folder]) => folder ?? []);
  t.strictSame(
    folders.slice(1),
    [...order.matchAll(/"(\w+)"/g)].map(([, folder]) => folder),
  );
});

t.test("source files that the documents name are there", async (t) => {
  const known = ["src", "test", "scripts"].flatMap(filesUnder);
  for (const path of ["ARCHITECTURE.md", ...filesUnder("docs")]) {
    const text = readFileSync(path, "utf8");
    for (const [, name = ""] of text.matchAll(/`((?:[\w.-]+\/)*[\w.-]+\.(?:ts|mjs|sh|cc))`/g)) {
      if (!name.includes("NAME"))
        t.ok(
          known.some((file) => `/${file}`.endsWith(`/${name}`)),
          `${path}: ${name}`,
        );
    }
  }
});

t.test("documents that are pointed to are there, with the sections that comments name", async (t) => {
  const links = [...architecture.matchAll(/\]\((docs\/[\w-]+\.md)\)/g)].flatMap(([, path]) => path ?? []);
  for (const path of links) t.ok(existsSync(path), path);
  for (const path of filesUnder("docs")) t.ok(links.includes(path), `${path} is linked`);
  for (const [file, text] of sources) {
    // A comment may break a line anywhere.
    const flat = text.replace(/\n\s*(?:\*|\/\/) ?/g, " ");
    for (const [, path = "", section] of flat.matchAll(/(docs\/[\w-]+\.md)(?:, "([^"]+)")?/g)) {
      t.ok(existsSync(path), `${file}: ${path}`);
      if (section) t.match(readFileSync(path, "utf8"), new RegExp(`^#+ ${section}$`, "m"), `${file}: ${section}`);
    }
    t.notMatch(flat, /ARCHITECTURE\.md, "/, file);
  }
});
