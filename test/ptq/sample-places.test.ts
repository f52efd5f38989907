import t from "tap";
import { adaround, bitSplit } from "../../src/config/sections/methods/layerwise-settings.ts";
import { forPlaces, placesOf } from "../../src/ptq/sample-places.ts";

t.test("as many rows of few samples as of many, and no more of them in a step", async (t) => {
  const method = adaround.parse({ name: "adaround" });
  const rows = 512 * 32;
  t.strictSame(
    [512, 256, 12, 1].map((samples) => placesOf(method.calibration, samples)),
    [32, 64, Math.ceil(rows / 12), rows],
  );
  const inStep = (positions: number) => forPlaces(method, positions);
  t.match(inStep(32), { batchSize: 32 });
  t.match(inStep(1), { batchSize: 32 }, "a dense layer has one place");
  t.match(inStep(85), { batchSize: 12 });
  t.match(inStep(rows), { batchSize: 1 });
  const other = bitSplit.parse({ name: "bit-split" });
  t.equal(forPlaces(other, rows), other);
});
