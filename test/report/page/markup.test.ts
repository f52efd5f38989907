import t from "tap";
import { dataBlock, foreign, markup, shorten } from "../../../src/report/page/markup.ts";

t.test("values are escaped, markup is not escaped twice, nothing is shown for null", async (t) => {
  t.equal(
    `${markup`<b title="${'"'}">${"<i>"}${markup`<i>${"&"}</i>`}${[null, false, 0]}</b>`}`,
    '<b title="&quot;">&lt;i&gt;<i>&amp;</i>0</b>',
  );
});

t.test("data in a script cannot end the script, and reads back the same", async (t) => {
  const value = { "</script>": "<!--\u2028\u2029&" };
  const block = `${dataBlock("id", value)}`;
  t.equal(block.split("</script>").length, 2);
  t.notMatch(block, /<!--|[\u2028\u2029]/);
  t.strictSame(JSON.parse(block.replace(/^<script[^>]*>/, "").replace(/<\/script>$/, "")), value);
});

t.test("a long name is cut between characters, not inside one", async (t) => {
  t.equal(shorten("abc", 3), "abc");
  t.equal(shorten("abcd", 3), "ab…");
  t.equal(shorten("😀😀😀😀", 3), "😀😀…");
  t.equal(`${foreign("<", 3)}`, "<bdi>&lt;</bdi>");
});
