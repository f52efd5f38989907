import t from "tap";
import { StepPace } from "../../src/runner/step-progress.ts";
import { start } from "../../src/training/loop.ts";

const sums = { images: 32, loss: 64, taskLoss: 60, complexity: 1, figures: {} };

t.test("says where training stands, and what is left at the pace of this session", async (t) => {
  let now = 5000;
  const pace = new StepPace(4, start, () => now);
  now = 7000;
  t.strictSame(pace.after({ ...start, batch: 1, step: 1, sums }, 10), {
    ...{ step: 1, steps: 40, epoch: 1, epochs: 4, loss: 2 },
    ...{ stepsPerSecond: 0.5, secondsLeft: 78 },
  });
  now = 25_000;
  t.match(pace.after({ ...start, epoch: 1, batch: 10, step: 20 }, 10), {
    step: 20,
    epoch: 2,
    loss: null,
    secondsLeft: 20,
  });
  const { epoch, secondsLeft } = pace.after({ ...start, epoch: 4, step: 40 }, 10);
  t.strictSame([epoch, secondsLeft], [4, 0], "at the end it is in the last epoch");
});

t.test("a run that goes on counts its own steps alone", async (t) => {
  let now = 0;
  const pace = new StepPace(4, { ...start, epoch: 2, batch: 5, step: 25 }, () => now);
  now = 3000;
  t.match(pace.after({ ...start, epoch: 2, batch: 6, step: 26, sums }, 10), { step: 26, epoch: 3, secondsLeft: 42 });
});
