import t from "tap";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import type { Ops, Tensor } from "../../../src/engine/ops.ts";
import { freeing, nativeMissing, near, upload } from "../../fixtures/engines.ts";

const image = [4, 14, 14, 8];
const weight = [5, 5, 8, 16];
const padded = { strides: [2, 2], dilations: [1, 1], padding: { top: 2, bottom: 1, left: 1, right: 2 } } as const;
const pool = { size: [2, 2], strides: [2, 2] } as const;

/** One pass forward and back through every operation, at the sizes of a small network. */
function pass(ops: Ops): Record<string, ArrayLike<number>> {
  const results: Record<string, ArrayLike<number>> = {};
  const record = (name: string, tensor: Tensor): Tensor => {
    results[name] = ops.read(tensor);
    return tensor;
  };
  freeing(ops, () => {
    const make = (name: string, shape: readonly number[]) => upload(ops, 7, name, shape).tensor;
    const pixels = Uint8Array.from({ length: 4 * 14 * 14 * 8 }, (_, index) => (index * 37) % 256);
    const normalization = { mean: Array(8).fill(0.4), deviation: Array(8).fill(0.3) };
    const x = record("normalize", ops.normalize(ops.tensor(pixels, image), normalization));
    const w = record("quantize", ops.quantize(make("w", weight), { bits: 8, signed: true, xMax: 0.77 }));
    const y = record("conv2d", ops.conv2d(x, w, padded));
    const activation = record("relu", ops.relu(record("addBias", ops.addBias(y, make("bias", [16])))));
    const pooled = ops.maxPool(activation, pool);
    const flat = ops.reshape(record("maxPool", pooled.output), [4, 3 * 3 * 16]);
    const dense = make("dense", [3 * 3 * 16, 10]);
    const logits = record("matmul", ops.matmul(flat, dense));
    record("argMax", ops.argMax(logits));
    const { loss, gradient } = ops.crossEntropy(logits, ops.tensor(Int32Array.of(3, 1, 4, 1), [4]));
    record("loss", loss);
    record("gradient", gradient);
    record("dense gradient", ops.matmul(flat, gradient, { transposeA: true }));
    const back = ops.reshape(ops.matmul(gradient, dense, { transposeB: true }), [4, 3, 3, 16]);
    const unpooled = record("maxPoolGradient", ops.maxPoolGradient(activation, pooled, back, pool));
    const masked = record("reluGradient", ops.reluGradient(activation, unpooled));
    record("sumPerChannel", ops.sumPerChannel(masked));
    record("conv2dInputGradient", ops.conv2dInputGradient(image, w, masked, padded));
    const dw = record("conv2dWeightGradient", ops.conv2dWeightGradient(x, weight, masked, padded));
    record("rangeMask", ops.rangeMask(make("w", weight), dw, { signed: true, xMax: 0.77 }));
    record("dot", ops.dot(dw, w));
  });
  return results;
}

t.test("both engines compute the same", { skip: nativeMissing() }, async (t) => {
  const native = pass((await loadEngine({ kind: "native" })).ops);
  const portable = pass((await loadEngine({ kind: "wasm" })).ops);
  t.same(Object.keys(portable), Object.keys(native));
  for (const [name, expected] of Object.entries(native)) {
    t.doesNotThrow(() => near(portable[name]!, expected, 1e-5), name);
  }
});
