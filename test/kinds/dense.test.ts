import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { type DenseNode, dense } from "../../src/kinds/dense.ts";
import { elementsOf, engineKinds, holds, matches, near, random } from "../fixtures/engines.ts";
import { passForKind } from "../fixtures/pass-for-kind.ts";

const node: DenseNode = { kind: "dense", id: "fc", inputs: ["x", "w"] };
const size = fc.integer({ min: 1, max: 4 });
const cases = fc.record({
  seed: fc.nat(1000),
  batch: size,
  /** The axes before the last: none to four. */
  leading: fc.array(size, { maxLength: 4 }),
  inputs: size,
  outputs: size,
});

/** The product in float64, row by row. */
function product(x: Float32Array, weight: Float32Array, inputs: number, outputs: number): Float64Array {
  const result = new Float64Array((x.length / inputs) * outputs);
  return result.map((_, index) => {
    const [row, output] = [Math.floor(index / outputs), index % outputs];
    let sum = 0;
    for (let input = 0; input < inputs; input++) sum += x[row * inputs + input]! * weight[input * outputs + output]!;
    return sum;
  });
}

for (const { kind, skip } of engineKinds) {
  t.test(`a dense layer reads the last axis of a tensor of any rank (${kind})`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    holds(t, ops, cases, ({ seed, batch, leading, inputs, outputs }) => {
      const shape = [batch, ...leading, inputs];
      const [x, weight] = [random(seed, "x", shape), random(seed, "weight", [inputs, outputs])];
      const upstream = random(seed, "upstream", [batch, ...leading, outputs]);
      const forward = (x: Float32Array, weight: Float32Array) =>
        dense.forward(node, [ops.tensor(x, shape), ops.tensor(weight, [inputs, outputs])], passForKind(ops));
      const { output, saved } = forward(x, weight);
      matches(ops, output, [batch, ...leading, outputs], product(x, weight, inputs, outputs));
      const gradient = ops.tensor(upstream, output.shape);
      const [byX, byWeight] = dense.backward(node, gradient, saved, passForKind(ops), [true, true]);
      // The layer is linear: the difference of two values is the slope itself.
      const loss = (x: Float32Array, weight: Float32Array) =>
        product(x, weight, inputs, outputs).reduce((sum, value, index) => sum + value * upstream[index]!, 0);
      const slopes = (values: Float32Array, at: (changed: Float32Array) => number) =>
        values.map((_, index) => {
          const moved = (step: number) => at(values.map((value, other) => (other === index ? value + step : value)));
          return (moved(1) - moved(-1)) / 2;
        });
      near(
        ops.read(byX!),
        slopes(x, (changed) => loss(changed, weight)),
        1e-4,
      );
      near(
        ops.read(byWeight!),
        slopes(weight, (changed) => loss(x, changed)),
        1e-4,
      );
      if (`${byX!.shape}` !== `${shape}`) throw new Error(`the gradient has shape [${byX!.shape}]`);
    });
  });
}

t.test("its multiply-accumulates are the places times the weight", async (t) => {
  for (const leading of [[], [7], [2, 3, 5], [2, 1, 3, 4]]) {
    const shapes = [
      [...leading, 6],
      [6, 4],
    ] as const;
    t.strictSame(dense.shape(node, shapes), [...leading, 4]);
    t.equal(dense.macs!(shapes, [...leading, 4]), elementsOf(leading) * 6 * 4);
  }
  t.throws(
    () =>
      dense.shape(node, [
        [2, 5],
        [6, 4],
      ]),
    { message: "fc: the weight is for 6 units, the input has shape [2,5]" },
  );
  t.throws(() => dense.shape(node, [[], [1, 4]]), { message: /^fc: the weight is for 1 units/ });
});
