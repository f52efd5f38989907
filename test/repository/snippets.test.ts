import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { loadConfig } from "../../src/config/load-config.ts";
import { loadQuantize } from "../../src/config/load-quantize.ts";
import { loadSweep } from "../../src/config/load-sweep.ts";
import { planSweep } from "../../src/sweep/plan.ts";
import { wrongWith } from "../fixtures/command-line.ts";

// What README and docs show is what the program takes: configurations load, commands and their options are there.
// TypeScript in docs/library.md is compiled and run by test/library.

interface Snippet {
  readonly place: string;
  readonly lines: readonly string[];
}

/** Indented and fenced code, up to each blank line. */
function snippetsOf(page: string): readonly Snippet[] {
  const snippets: { place: string; lines: string[] }[] = [];
  let fence: string | null = null;
  let open = false;
  for (const [index, line] of readFileSync(page, "utf8").split("\n").entries()) {
    const [, language] = /^```(\w*)$/.exec(line) ?? [];
    if (language !== undefined) fence = fence === null ? language : null;
    const inFence = fence === "yaml" && language === undefined;
    const code = inFence ? line : fence === null && line.startsWith("    ") ? line.slice(4) : "";
    if (code !== "" && !open) snippets.push({ place: `${page}:${index + 1}`, lines: [] });
    open = code !== "";
    if (open) snippets.at(-1)!.lines.push(code);
  }
  return snippets;
}

const documents = ["README.md", ...readdirSync("docs").map((name) => join("docs", name))];
const snippets = documents.flatMap(snippetsOf);
const isYaml = ({ lines: [first = ""] }: Snippet) => /^# \S+\.yaml$|^[a-z]\w*:(?: |$)/.test(first);

t.test("every configuration loads", async (t) => {
  const folder = t.testdir({});
  symlinkSync(resolve("configs"), join(folder, "configs"));
  mkdirSync(join(folder, "reports"));
  const configurations = snippets.filter(isYaml);
  t.ok(configurations.length >= 8);
  for (const { place, lines } of configurations) {
    const [, name] = /^# (\S+\.yaml)$/.exec(lines[0]!) ?? [];
    const isQuantize = place.startsWith("docs/quantize.md");
    const base = isQuantize ? "network: { file: model.onnx }" : "extends: ./configs/mnist-lenet5.yaml";
    const file = join(folder, name ?? "part.yaml");
    writeFileSync(file, [...(name ? [] : [base]), ...lines].join("\n"));
    const load = () => {
      if (isQuantize) return loadQuantize(file);
      return lines.includes("sweep:") ? planSweep(loadSweep(file), { threads: 1 }) : loadConfig(file);
    };
    t.doesNotThrow(load, place);
  }
});

/** A line of a shell without its comment, in words. */
const wordsOf = (line: string): readonly string[] =>
  [...line.replace(/\s#.*$/, "").matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");

const commands = snippets
  .filter((snippet) => !isYaml(snippet))
  .flatMap(({ place, lines }) =>
    lines
      .join("\n")
      .replaceAll(/\\\n\s*/g, "")
      .split("\n")
      .map((line) => ({ place, line, words: wordsOf(line) })),
  );

t.test("every command of the program is one, with its options and arguments", async (t) => {
  const own = commands.flatMap(({ words, ...rest }) => {
    if (words[0] === "bayesian-bits") return { ...rest, args: words.slice(1) };
    return words[0] === "node" && words[1] === "dist/main.js" ? { ...rest, args: words.slice(2) } : [];
  });
  t.ok(own.length >= 30, `${own.length} commands`);
  for (const { place, line, args } of own) t.equal(wrongWith(args), null, `${place}: ${line}`);
});

t.test("every script that is named is one of package.json", async (t) => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const named = documents.flatMap((page) =>
    [...readFileSync(page, "utf8").matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => ({
      page,
      name: name!,
    })),
  );
  t.ok(named.length > 10);
  for (const { page, name } of named) t.ok(name in scripts, `${page}: npm run ${name}`);
});
