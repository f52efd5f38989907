import t from "tap";
import {
  bitsText,
  learnedBits,
  meanText,
  resultBits,
  shadeOf,
  tensorChip,
} from "../../../src/report/page/tensor-bits.ts";
import { sampleRecord } from "../../fixtures/sample-record.ts";

const learned = { bits: 8, probabilities: [], xMax: 1, kept: 4, keepProbability: 1 } as const;
const of = (meanBits: number) => learnedBits({ ...learned, probabilities: [], meanBits }, [8, 2, 0, 2, 4]);

t.test("several widths are shown by the mean of the kept channels, and their range", async (t) => {
  t.equal(bitsText(of(3.4)), "3.4 bits, 2–8 by channel");
  t.equal(`${tensorChip(of(3.4))}`, '<span class="bits b4">3.4</span>');
  t.equal(bitsText(learnedBits({ ...learned, probabilities: [], meanBits: 3.4 })), "3.4 bits, up to 8 by channel");
  t.equal(meanText(of(3.333333)), "3.3");
});

t.test("a mean has the colour of the width that is nearest as a ratio", async (t) => {
  t.strictSame(
    [2.7, 2.9, 5.5, 5.8].map((mean) => shadeOf(of(mean))),
    [2, 4, 4, 8],
  );
});

t.test("one width is a number, also where each channel could have its own; all pruned are 0", async (t) => {
  t.equal(of(8), 8);
  t.equal(learnedBits({ ...learned, probabilities: [] }), 8, "a record from before there were means");
  t.equal(bitsText(8), "8 bits");
  t.equal(learnedBits({ ...learned, probabilities: [], meanBits: 3, kept: 0 }), 0);
  t.equal(bitsText(0), "pruned");
});

t.test("what a result says of a layer is the same", async (t) => {
  const [layer] = sampleRecord().result!.layers;
  t.equal(resultBits(layer!), layer!.weightBits);
  t.equal(resultBits({ ...layer!, keptOutputs: 0 }), 0);
  const several = resultBits({ ...layer!, weightBits: 8, channelBits: [8, 2, 0, 2] });
  t.strictSame(several, { mean: 4, narrowest: 2, widest: 8 });
  t.equal(resultBits({ ...layer!, weightBits: 8, channelBits: [8, 0, 8] }), 8);
});
