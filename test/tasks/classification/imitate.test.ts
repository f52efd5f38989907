import fc from "fast-check";
import t from "tap";
import { imitate } from "../../../src/tasks/classification/imitate.ts";
import { random } from "../../fixtures/engines.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const drawn = fc.record({
  seed: fc.nat(1e6),
  batch: fc.integer({ min: 1, max: 4 }),
  classes: fc.integer({ min: 1, max: 5 }),
  scale: fc.constantFrom(1, 100),
});

t.test("who says the same as its teacher has nothing to learn", async (t) => {
  lawHolds(t, drawn, ({ seed, batch, classes, scale }) => {
    const logits = random(seed, "logits", [batch, classes], scale);
    const { loss, gradient } = imitate(logits, logits, classes);
    expect(loss === 0 && gradient.every((value) => value === 0), `${loss}`);
  });
});

t.test("the divergence is never below zero, and the gradient is its slope", async (t) => {
  lawHolds(t, drawn, ({ seed, batch, classes }) => {
    const [student, teacher] = ["student", "teacher"].map((stream) => random(seed, stream, [batch, classes]));
    const { loss, gradient } = imitate(student!, teacher!, classes);
    expect(loss >= -1e-9, `${loss}`);
    for (let index = 0; index < student!.length; index++) {
      const moved = (by: number) => Float64Array.from(student!, (value, at) => (at === index ? value + by : value));
      const slope =
        (imitate(moved(1e-4), teacher!, classes).loss - imitate(moved(-1e-4), teacher!, classes).loss) / 2e-4;
      expect(Math.abs(slope - gradient[index]!) < 1e-5, `${gradient[index]}, slope ${slope}`);
    }
  });
});
