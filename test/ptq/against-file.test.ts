import t from "tap";
import { requireMaxDrop } from "../../src/commands/max-drop.ts";
import { exitCodes } from "../../src/core/errors.ts";
import { againstFile } from "../../src/ptq/against-file.ts";

const output = { name: "y", sqnrDb: 30, cosine: 1, same: false, otherSizes: false, agreement: 98, finite: true };

t.test("the labels that a quantized file gets right are held against the file that went in", async (t) => {
  const outputs = [
    { ...output, top1: null, top1Float: null },
    { ...output, top1: 90, top1Float: 91.5 },
  ];
  const against = againstFile({ comparison: { samples: 200, outputs } });
  t.match(against, { float: 91.5, value: 90, difference: -1.5, metric: { label: "top-1", better: "higher" } });
  const [low, high] = against!.interval!;
  t.ok(low < -1.5 && high > -1.5, `${low} … ${high}`);
  t.doesNotThrow(() => requireMaxDrop("run", against, 1.5));
  t.throws(() => requireMaxDrop("run", against, 1), {
    exitCode: exitCodes.dropped,
    message: "run: top-1 90.00 % is 1.50 below float32 (91.50 %, the file that went in), and --max-drop allows 1",
  });
});

t.test("without labels there is nothing to hold it against", async (t) => {
  for (const comparison of [null, { samples: 4, outputs: [{ ...output, top1: null, top1Float: null }] }])
    t.equal(againstFile({ comparison }), null);
});
