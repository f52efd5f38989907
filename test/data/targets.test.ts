import t from "tap";
import { outputsOf, pickTargets } from "../../src/data/targets.ts";
import { classTargets } from "../fixtures/tasks.ts";

t.test("rows of targets are picked in the order asked for, in arrays of their own", async (t) => {
  const classes = classTargets([7, 8, 9]);
  const picked = pickTargets(classes, Uint32Array.of(2, 0), 3);
  t.same(picked, classTargets([9, 7]));
  picked.values.fill(0);
  t.same(classes, classTargets([7, 8, 9]));

  const values = { kind: "values", values: Float32Array.of(1, 2, 3, 4, 5, 6) } as const;
  t.same(pickTargets(values, Uint32Array.of(2, 0, 2), 3).values, Float32Array.of(5, 6, 1, 2, 5, 6));
  t.same(pickTargets(values, Uint32Array.of(), 3).values, new Float32Array());
});

t.test("a network has an output for each class, or for each value", async (t) => {
  t.equal(outputsOf({ kind: "classes", names: ["a", "b", "c"] }), 3);
  t.equal(outputsOf({ kind: "values", outputs: 2 }), 2);
});
