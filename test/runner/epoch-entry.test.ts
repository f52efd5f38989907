import t from "tap";
import { describeStep } from "../../src/runner/epoch-entry.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

t.test("beside the bar stand epoch, loss, the last epoch's figures and the rate", async (t) => {
  const record = sampleRecord();
  const { batchSize } = record.config.data;
  const step = { step: 12, steps: 80, epoch: 2, epochs: 8, loss: 0.88375, secondsLeft: 9 };
  t.match(
    describeStep(record, { ...step, stepsPerSecond: 3961.4 / batchSize }),
    /^epoch 2\/8, loss 0\.8838, top-1 [\d.]+ % at [\d.]+ % BOPs, 3,960 images\/s$/,
  );
  const first = { ...step, loss: null, stepsPerSecond: 0.25317 / batchSize };
  t.equal(describeStep({ ...record, epochs: [] }, first), "epoch 2/8, 0.253 images/s");
  t.equal(describeStep({ ...record, epochs: [] }, { ...first, stepsPerSecond: 0 }), "epoch 2/8");
});
