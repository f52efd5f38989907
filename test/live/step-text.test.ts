import t from "tap";
import { stepText } from "../../src/live/step-text.ts";

t.test("a step in one line, with what is known of it", async (t) => {
  const step = { step: 12, steps: 14_070, epoch: 1, epochs: 30, loss: 2.25184, stepsPerSecond: 56, secondsLeft: 250 };
  t.equal(stepText(step), "Epoch 1 of 30, step 12 of 14,070: loss 2.252, 4m10s left");
  t.equal(stepText({ ...step, loss: null }), "Epoch 1 of 30, step 12 of 14,070: 4m10s left");
  t.equal(stepText({ ...step, step: 14_070, loss: null, secondsLeft: 0 }), "Epoch 1 of 30, step 14,070 of 14,070");
});
