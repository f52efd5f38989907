import t from "tap";
import { bitStrip, heatStrip, runsOf, stripData } from "../../../src/report/charts/strip.ts";

t.test("equal neighbours are one run", async (t) => {
  t.strictSame(runsOf([8, 8, 4, 8]), [
    { start: 0, length: 2, value: 8 },
    { start: 2, length: 1, value: 4 },
    { start: 3, length: 1, value: 8 },
  ]);
  t.strictSame(runsOf([]), []);
});

const source = { block: "strips", row: 0, key: "4" };

t.test("a thousand cells cost no more than what changes in them", async (t) => {
  const probabilities = Array.from({ length: 1000 }, (_, epoch) => (epoch < 400 ? 0.999 : 0.001));
  const strip = `${heatStrip(probabilities, source)}`;
  t.equal(strip.split("<path").length - 1, 1);
  t.match(strip, '<path d="M0 .5h400"');
});

t.test("cells of one shade are one path, however often they come", async (t) => {
  const probabilities = Array.from({ length: 90 }, (_, cell) => (cell % 2 === 0 ? 0.25 : 0.75));
  t.equal(`${heatStrip(probabilities, source)}`.split("<path").length - 1, 2);
});

t.test("bits have their colours", async (t) => {
  const strip = `${bitStrip([8, 2, 0], source)}`;
  for (const bits of [8, 2, 0]) t.match(strip, `stroke="var(--bits-${bits})"`);
});

t.test("the data block has the values behind the strips, to four digits", async (t) => {
  const block = `${stripData("strips", { category: "epoch", unit: { a: "probability" }, rows: [{ a: [0.123456] }] })}`;
  t.match(block, '"rows":[{"a":[0.1235]}]');
});
