import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import ts from "typescript";
import { power, powerOfTen, wholePower } from "../../src/core/powers.ts";

const near = (actual: number, expected: number, tolerance: number) =>
  Math.abs(actual - expected) <= tolerance * Math.abs(expected);

t.test("whole powers are products, and as good as the C library's", async (t) => {
  t.strictSame(
    [wholePower(0.9, 0), wholePower(0.9, 1), wholePower(0.9, 2), wholePower(-2, 3)],
    [1, 0.9, 0.9 * 0.9, -8],
  );
  t.equal(wholePower(0.999, 5), 0.999 * (0.999 * 0.999 * (0.999 * 0.999)));
  for (const base of [0.9, 0.999]) {
    for (const exponent of [3, 77, 1000, 6999, 300_000])
      t.ok(near(wholePower(base, exponent), base ** exponent, 1e-16 * exponent), `${base} ** ${exponent}`);
  }
  t.equal(wholePower(0.999, 1e12), 0);
});

t.test("other powers", async (t) => {
  for (const [base, exponent] of [
    [0.3, 2.4],
    [0.001, 19.5],
    [1e5, 0.25],
  ] as const)
    t.ok(near(power(base, exponent), base ** exponent, 1e-13), `${base} ** ${exponent}`);
  t.strictSame([power(0, 2.4), power(1, 7)], [0, 1]);
  t.strictSame([-7, -5, 0, 23].map(powerOfTen), [1e-7, 1e-5, 1, 1e23]);
});

/** Powers whose digits are V8's and whose version's: those of anything but 2. */
function powersIn(text: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isPower = ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.AsteriskAsteriskToken;
    if (isPower && node.left.getText() !== "2") found.push(node.getText());
    if (ts.isPropertyAccessExpression(node) && node.getText() === "Math.pow") found.push(node.getText());
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("a.ts", text, ts.ScriptTarget.Latest, true));
  return found;
}

t.test("no number depends on the version of V8", async (t) => {
  t.strictSame(powersIn("a(x ** 2, 2 ** y, Math.pow(z, 3)); // u ** v"), ["x ** 2", "Math.pow"]);
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  t.strictSame(
    files.flatMap((name) => powersIn(readFileSync(join("src", name), "utf8")).map((found) => `${name}: ${found}`)),
    [],
  );
});
