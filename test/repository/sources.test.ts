import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import t from "tap";
import ts from "typescript";

/** What the compiler takes somebody's word for, in one file. */
interface Words {
  readonly path: string;
  /** `value!` */
  readonly assertions: number;
  /** `as unknown as` */
  readonly double: number;
  /** Lines with a cast that no comment stands beside or above. */
  readonly unexplained: readonly string[];
}

const isComment = (line: string | undefined) => line !== undefined && /^\s*(\/\/|\/?\*)|\s\/\/ /.test(line);

/** Whether a comment explains a node: on its line, on that of its statement, or above either. */
function isExplained(node: ts.Node, source: ts.SourceFile, lines: readonly string[]): boolean {
  let owner: ts.Node = node;
  while (!ts.isStatement(owner) && !ts.isClassElement(owner) && owner.parent) owner = owner.parent;
  return [node, owner].some((one) => {
    const { line } = source.getLineAndCharacterOfPosition(one.getStart());
    return isComment(lines[line]) || isComment(lines[line - 1]);
  });
}

function wordsOf(path: string, text: string): Words {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lines = text.split("\n");
  let [assertions, double] = [0, 0];
  const unexplained: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNonNullExpression(node)) assertions++;
    if (ts.isAsExpression(node) && node.type.getText() !== "const") {
      if (node.type.kind === ts.SyntaxKind.UnknownKeyword) double++;
      else if (!isExplained(node, source, lines)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        unexplained.push(`${path}:${line + 1}: ${lines[line]?.trim()}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { path, assertions, double, unexplained };
}

/** What is written here, and not by a generator. */
const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(
  (name) => /\.\w+$/.test(name) && !name.includes("generated/"),
);
const files = sources.filter((name) => name.endsWith(".ts"));
const words = files.map((name) => wordsOf(join("src", name), readFileSync(join("src", name), "utf8")));
const total = (count: (one: Words) => number) => words.reduce((sum, one) => sum + count(one), 0);

t.test("what is counted is found", async (t) => {
  const found = wordsOf(
    "a.ts",
    "const a = b!.c! as D;\n// Why.\nconst e = f as unknown as G;\nconst h = [1] as const;\n",
  );
  t.strictSame(found, {
    path: "a.ts",
    assertions: 2,
    double: 1,
    unexplained: ["a.ts:1: const a = b!.c! as D;"],
  });
});

t.test("few values are said to be there, and the compiler is hardly ever overruled", async (t) => {
  t.ok(files.length > 300);
  t.ok(total(({ assertions }) => assertions) < 500, `${total(({ assertions }) => assertions)} non-null assertions`);
  t.ok(total(({ double }) => double) <= 5, `${total(({ double }) => double)} casts by way of unknown`);
});

t.test("no file is longer than 250 lines", async (t) => {
  const lengths = sources.map(
    (name) => [name, readFileSync(join("src", name), "utf8").split("\n").length - 1] as const,
  );
  t.strictSame(
    lengths.filter(([, lines]) => lines > 250),
    [],
  );
});

t.test("every cast has its reason beside it", async (t) => {
  t.strictSame(
    words.flatMap(({ unexplained }) => unexplained),
    [],
  );
});

t.test("no two files have one name, but for indices", async (t) => {
  const names = files.map((name) => basename(name)).filter((name) => name !== "index.ts");
  t.strictSame(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});
