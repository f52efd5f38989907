import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { engineKinds, freeing, holds, matches, random, upload } from "../fixtures/engines.ts";

const seed = fc.nat(1e6);

for (const { kind, skip } of engineKinds) {
  t.test(`variables and their updates on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });

    t.test("variables hold what they are given until they are assigned anew", async (t) => {
      const before = ops.liveTensors();
      const values = Float32Array.of(1, 2, 3, 4);
      const variable = ops.variable("w", values, [2, 2]);
      const held = () => freeing(ops, () => [...ops.read(ops.value(variable))]);
      values.fill(9);
      t.same([variable.name, variable.shape], ["w", [2, 2]]);
      t.same(held(), [1, 2, 3, 4], "the caller's array may change");
      ops.assign(variable, values);
      values.fill(7);
      t.same(held(), [9, 9, 9, 9]);
      ops.dispose(variable);
      t.equal(ops.liveTensors(), before);
    });

    t.test("Adam steps as PyTorch's does", async (t) => {
      const shape = [2, 3];
      // So large an epsilon tells whether it is added to the corrected deviation, as it should be.
      const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-2 };
      const law = (seed: number) => {
        const w = Float64Array.from(random(seed, "w", shape));
        const [m, v] = [new Float64Array(6), new Float64Array(6)];
        const variable = ops.variable("w", Float32Array.from(w), shape);
        const [first, second] = ["m", "v"].map((name) => ops.variable(name, new Float32Array(6), shape));
        for (let step = 1; step <= 6; step++) {
          const gradient = upload(ops, seed, `g${step}`, shape, 0.01 * step);
          const learningRate = 0.1 / step;
          ops.adam(variable, [first!, second!], gradient.tensor, { ...settings, learningRate, step });
          gradient.values.forEach((g, i) => {
            m[i] = 0.9 * m[i]! + 0.1 * g;
            v[i] = 0.999 * v[i]! + 0.001 * g * g;
            const deviation = Math.sqrt(v[i]! / (1 - 0.999 ** step)) + settings.epsilon;
            w[i]! -= (learningRate * (m[i]! / (1 - 0.9 ** step))) / deviation;
          });
          freeing(ops, () => matches(ops, ops.value(variable), shape, w));
        }
        matches(ops, ops.value(first!), shape, m, 1e-8);
        matches(ops, ops.value(second!), shape, v, 1e-9);
        for (const held of [variable, first!, second!]) ops.dispose(held);
      };
      holds(t, ops, seed, law, 10);
    });

    t.test("momentum steps as PyTorch's does, with and without looking ahead", async (t) => {
      const law = (seed: number) => {
        const nesterov = seed % 2 === 0;
        const w = Float64Array.from(random(seed, "w", [5]));
        const v = new Float64Array(5);
        const variable = ops.variable("w", Float32Array.from(w), [5]);
        const velocity = ops.variable("v", new Float32Array(5), [5]);
        for (let step = 1; step <= 6; step++) {
          const gradient = upload(ops, seed, `g${step}`, [5]);
          const learningRate = 0.1 / step;
          ops.momentum(variable, velocity, gradient.tensor, { learningRate, momentum: 0.9, nesterov });
          gradient.values.forEach((g, i) => {
            v[i] = 0.9 * v[i]! + g;
            w[i]! -= learningRate * (nesterov ? g + 0.9 * v[i]! : v[i]!);
          });
          freeing(ops, () => matches(ops, ops.value(variable), [5], w));
        }
        matches(ops, ops.value(velocity), [5], v);
        for (const held of [variable, velocity]) ops.dispose(held);
      };
      holds(t, ops, seed, law, 10);
    });
  });
}
