import t from "tap";
import { parseJson } from "../../src/core/parse-json.ts";

t.test("JSON is parsed, down to a depth that no file of this program has", async (t) => {
  t.strictSame(parseJson('{"a": [1, null, {"b": "c"}]}'), { a: [1, null, { b: "c" }] });
  t.equal(parseJson("1"), 1);
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  t.ok(parseJson(nested(100)));
  t.throws(() => parseJson(nested(101)), /nested more than 100 levels deep/);
  t.throws(() => parseJson(nested(1_000_000)), /nested more than 100 levels deep/);
  t.throws(() => parseJson("{"), SyntaxError);
});
