import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Conv2dGeometry } from "../../src/engine/ops.ts";
import { evenPadding } from "../../src/network/builder.ts";
import { engineKinds, near, upload } from "../fixtures/engines.ts";

const [batch, side, stride] = [6, 8, 2];
const outputSide = Math.ceil(side / stride);
const geometry: Conv2dGeometry = { strides: [stride, stride], dilations: [1, 1], padding: evenPadding(0) };

/** Of a 1 × 1 convolution: the products of each pixel that is read with the gradient there, summed in float64. */
function weightGradient(x: Float32Array, gradient: Float32Array, [inputs, outputs]: readonly [number, number]) {
  const sums = new Float64Array(inputs * outputs);
  for (let image = 0; image < batch; image++) {
    for (let row = 0; row < outputSide; row++) {
      for (let column = 0; column < outputSide; column++) {
        const pixel = ((image * side + row * stride) * side + column * stride) * inputs;
        const position = ((image * outputSide + row) * outputSide + column) * outputs;
        sums.forEach((_, index) => {
          const [input, output] = [Math.floor(index / outputs), index % outputs];
          sums[index]! += x[pixel + input]! * gradient[position + output]!;
        });
      }
    }
  }
  return sums;
}

for (const { kind, skip } of engineKinds) {
  t.test(`the weight's gradient of 1 × 1 convolutions with stride 2 on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    // oneDNN's own is another one from call to call where channels are no multiple of 8.
    for (const channels of [
      [3, 4],
      [5, 7],
      [1, 1],
      [2, 9],
      [8, 16],
    ] as const) {
      t.test(`${channels[0]} channels to ${channels[1]}`, async (t) => {
        for (let repetition = 0; repetition < 10; repetition++) {
          ops.scope(
            () => {
              const x = upload(ops, repetition, "x", [batch, side, side, channels[0]]);
              const g = upload(ops, repetition, "g", [batch, outputSide, outputSide, channels[1]]);
              const expected = weightGradient(x.values, g.values, channels);
              const actual = ops.conv2dWeightGradient(x.tensor, [1, 1, ...channels], g.tensor, geometry);
              t.doesNotThrow(() => near(ops.read(actual), expected, 1e-4));
            },
            () => [],
          );
        }
      });
    }
  });
}
