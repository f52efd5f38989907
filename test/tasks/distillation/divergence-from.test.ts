import fc from "fast-check";
import t from "tap";
import { divergenceFrom } from "../../../src/tasks/distillation/divergence-from.ts";
import { random } from "../../fixtures/engines.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const drawn = fc.record({
  seed: fc.nat(1e6),
  batch: fc.integer({ min: 1, max: 4 }),
  classes: fc.integer({ min: 1, max: 5 }),
  scale: fc.constantFrom(1, 100),
  temperature: fc.constantFrom(0.5, 1, 4),
});

t.test("who says the same as its teacher has nothing to learn", async (t) => {
  lawHolds(t, drawn, ({ seed, batch, classes, scale, temperature }) => {
    const logits = random(seed, "logits", [batch, classes], scale);
    const { loss, gradient } = divergenceFrom(logits, logits, { classes, temperature });
    expect(loss === 0 && gradient.every((value) => value === 0), `${loss}`);
  });
});

t.test("the divergence is never below zero, and the gradient is its slope", async (t) => {
  lawHolds(t, drawn, ({ seed, batch, classes, temperature }) => {
    const [student, teacher] = ["student", "teacher"].map((stream) => random(seed, stream, [batch, classes]));
    const of = (logits: ArrayLike<number>) => divergenceFrom(teacher!, logits, { classes, temperature });
    const { loss, gradient } = of(student!);
    expect(loss >= -1e-9, `${loss}`);
    for (let index = 0; index < student!.length; index++) {
      const moved = (by: number) => Float64Array.from(student!, (value, at) => (at === index ? value + by : value));
      const slope = (of(moved(1e-4)).loss - of(moved(-1e-4)).loss) / 2e-4;
      expect(Math.abs(slope - gradient[index]!) < 1e-5, `${gradient[index]}, slope ${slope}`);
    }
  });
});

t.test("of two classes it is what its definition comes to", async (t) => {
  // Softmax of (log 3, 0)/T at T = 1 is (3/4, 1/4); of (0, 0) it is (1/2, 1/2).
  const { loss, gradient } = divergenceFrom([Math.log(3), 0], [0, 0], { classes: 2, temperature: 1 });
  t.ok(Math.abs(loss - (0.75 * Math.log(1.5) + 0.25 * Math.log(0.5))) < 1e-12);
  t.strictSame([...gradient], [-0.25, 0.25]);
  // At T = 2 the same of (2·log 3, 0), times T² and T.
  const warm = divergenceFrom([2 * Math.log(3), 0], [0, 0], { classes: 2, temperature: 2 });
  t.ok(Math.abs(warm.loss - 4 * loss) < 1e-12);
  t.ok([...warm.gradient].every((value, index) => Math.abs(value - 2 * gradient[index]!) < 1e-7));
});
