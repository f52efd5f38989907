import { readFileSync } from "node:fs";
import type { Scalar, Tensor } from "@tensorflow/tfjs-node-gpu";
import t from "tap";
import { z } from "zod";
import { loadTfjs } from "../../../scripts/bench/cases/load-tfjs.ts";
import { TapeQuantizer } from "../../../scripts/bench/cases/tape-quantizer.ts";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import { nativeMissing } from "../../fixtures/engines.ts";

const numbers = z.array(z.number());
const file = z.object({
  cases: z.array(
    z.object({
      shape: numbers,
      signed: z.boolean(),
      x_max: z.number(),
      gates: z.object({ z4: z.number(), z8: z.number(), z16: z.number(), z32: z.number() }),
      z2: numbers.nullable(),
      x: numbers,
      upstream: numbers,
      y: numbers,
      grad_x: numbers,
      grad_x_max: z.number(),
    }),
  ),
});

const isBinary = (value: number) => value === 0 || value === 1;
/** A gate parameter whose samples all have this value. */
const saturated = (gate: number) => (gate === 1 ? 1000 : -1000);

t.test("the port on the tape does what the authors' quantizer does", { skip: nativeMissing() }, async (t) => {
  await loadEngine({ kind: "native" });
  const tf = loadTfjs();
  const { cases } = file.parse(JSON.parse(readFileSync("test/fixtures/golden/quantizer.json", "utf8")));
  const binary = cases.filter(
    ({ gates, z2 }) => Object.values(gates).every(isBinary) && (z2 === null || z2.every((gate) => gate === 1)),
  );
  t.equal(binary.length, 12);
  for (const { gates, ...golden } of binary) {
    const initial = {
      prune: 1000,
      bits4: saturated(gates.z4),
      bits8: saturated(gates.z8),
      bits16: saturated(gates.z16),
      bits32: saturated(gates.z32),
    };
    const quantizer = new TapeQuantizer(tf, { name: "q", signed: golden.signed, channels: null, initial, macShare: 1 });
    const x = tf.variable(tf.tensor(golden.x, golden.shape));
    const upstream = tf.tensor(golden.upstream, golden.shape);
    const output = quantizer.apply(x as Tensor);
    quantizer.range.assign(tf.scalar(golden.x_max));
    const loss = () => tf.sum(tf.mul(upstream, quantizer.apply(x as Tensor))) as Scalar;
    const { grads } = tf.variableGrads(loss, [x, quantizer.range]);
    const distance = (actual: Tensor, expected: readonly number[]) =>
      Math.max(...Array.from(actual.dataSync(), (value, index) => Math.abs(value - expected[index]!)));
    const name = `signed ${golden.signed}, gates ${JSON.stringify(gates)}`;
    t.ok(distance(quantizer.apply(x as Tensor), golden.y) < 1e-5, `values: ${name}`);
    t.ok(distance(grads[x.name]!, golden.grad_x) < 1e-5, `gradient: ${name}`);
    t.ok(distance(grads[quantizer.range.name]!, [golden.grad_x_max]) < 1e-4, `gradient of the range: ${name}`);
    quantizer.dispose();
    tf.dispose([x, upstream, output]);
  }
});
