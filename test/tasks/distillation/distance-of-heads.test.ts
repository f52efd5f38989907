import t from "tap";
import { distanceOfHeads } from "../../../src/tasks/distillation/distance-of-heads.ts";
import { divergenceFrom } from "../../../src/tasks/distillation/divergence-from.ts";
import { random } from "../../fixtures/engines.ts";

const heads = [
  { size: 3, isSoftmax: true },
  { size: 2, isSoftmax: false },
];
const options = { heads, temperature: 2, varianceOf: (head: number) => [7, 4][head]! };
const [teacher, student] = [random(1, "teacher", [20]), random(2, "student", [20])];

t.test("each output has its own form, and their losses add up", async (t) => {
  const own = (values: Float32Array, from: number, to: number) =>
    [0, 1, 2, 3].flatMap((row) => [...values.subarray(5 * row + from, 5 * row + to)]);
  const divergence = divergenceFrom(own(teacher, 0, 3), own(student, 0, 3), { classes: 3, temperature: 2 });
  const values = own(student, 3, 5).map((value, at) => (value - own(teacher, 3, 5)[at]!) ** 2);
  const squared = values.reduce((sum, value) => sum + value, 0) / 8 / 4;
  const { loss } = distanceOfHeads(teacher, student, options);
  t.ok(Math.abs(loss - divergence.loss - squared) < 1e-12, `${loss}`);
  t.ok(distanceOfHeads(teacher, teacher, options).loss < 1e-12);
});

t.test("the gradient is the slope", async (t) => {
  const { gradient } = distanceOfHeads(teacher, student, options);
  for (const [index, slope] of gradient.entries()) {
    const at = (move: number) => {
      const moved = Float64Array.from(student);
      moved[index]! += move;
      return distanceOfHeads(teacher, moved, options).loss;
    };
    t.ok(Math.abs((at(1e-4) - at(-1e-4)) / 2e-4 - slope) < 1e-6, `${index}`);
  }
});
