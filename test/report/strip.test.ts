import t from "tap";
import { bitStrip, heatStrip, runsOf } from "../../src/report/strip.ts";

t.test("equal neighbours are one run", async (t) => {
  t.strictSame(runsOf([8, 8, 4, 8]), [
    { start: 0, length: 2, value: 8 },
    { start: 2, length: 1, value: 4 },
    { start: 3, length: 1, value: 8 },
  ]);
  t.strictSame(runsOf([]), []);
});

t.test("a thousand epochs cost no more than what changes in them", async (t) => {
  const probabilities = Array.from({ length: 1000 }, (_, epoch) => (epoch < 400 ? 0.999 : 0.001));
  t.equal(`${heatStrip(probabilities, "0 0")}`.split("<rect").length - 1, 1);
  t.match(`${heatStrip(probabilities, "0 0")}`, '<rect x="0" width="400"');
});

t.test("bits have their colours", async (t) => {
  const strip = `${bitStrip([8, 2, 0], "0 bits")}`;
  for (const bits of [8, 2, 0]) t.match(strip, `fill="var(--bits-${bits})"`);
});
