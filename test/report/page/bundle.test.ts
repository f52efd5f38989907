import t from "tap";
import { pageBundle } from "../../../src/report/page/bundle.ts";
import { bitWidths } from "../../../src/report/page/chips.ts";

t.test("every bit-width has its colour, and its own style", async (t) => {
  const { styles } = pageBundle();
  for (const bits of bitWidths) {
    t.match(styles, new RegExp(`--bits-${bits}: ?#`), `--bits-${bits}`);
    t.match(styles, new RegExp(`--on-${bits}: ?#`), `--on-${bits}`);
    t.match(styles, new RegExp(`\\.b${bits}\\{`), `.b${bits}`);
  }
});

t.test("a page on disk asks nobody: only the live one's script follows a run", async (t) => {
  const { script, liveScript } = pageBundle();
  t.notMatch(script, /EventSource|fetch\(/);
  t.match(liveScript, /EventSource/);
});

t.test("a bundle ends no script or style element, and needs no other file", async (t) => {
  for (const [name, text] of Object.entries(pageBundle())) {
    t.notMatch(text, /<\/(script|style)/i, name);
    t.notMatch(text, /\bimport\b|@import|require\(/, `${name}: whole`);
  }
});
