import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Conv2dGeometry } from "../../src/engine/ops.ts";
import { elementsOf, engineKinds, holds, matches, upload } from "../fixtures/engines.ts";

const to = (most: number, least = 1) => fc.integer({ min: least, max: most });
const pair = (most: number) => fc.tuple(to(most), to(most));

const cases = fc
  .record({
    seed: fc.nat(1e6),
    batch: to(2),
    image: fc.tuple(to(7, 3), to(9, 3)),
    // Eight at once, four times that, and what is left.
    channels: fc.constantFrom(1, 3, 8, 13, 32, 43),
    kernel: pair(3),
    strides: pair(3),
    dilations: pair(2),
    padding: fc.record({ top: to(2, 0), bottom: to(2, 0), left: to(2, 0), right: to(2, 0) }),
  })
  .filter(({ image, kernel, dilations, padding: { top, bottom, left, right } }) =>
    [image[0] + top + bottom, image[1] + left + right].every(
      (size, axis) => size > (kernel[axis]! - 1) * dilations[axis]!,
    ),
  );

/** Calls `body` for every product of the convolution: places of image, weight and output. */
function products(
  [batch, height, width, channels]: readonly number[],
  [rows, columns]: readonly number[],
  { strides, dilations, padding: { top, bottom, left, right } }: Conv2dGeometry,
  body: (x: number, weight: number, y: number) => void,
): readonly number[] {
  const windows = [
    Math.floor((height! + top + bottom - (rows! - 1) * dilations[0] - 1) / strides[0]) + 1,
    Math.floor((width! + left + right - (columns! - 1) * dilations[1] - 1) / strides[1]) + 1,
  ];
  for (let n = 0, y = 0; n < batch!; n++)
    for (let down = 0; down < windows[0]!; down++)
      for (let across = 0; across < windows[1]!; across++)
        for (let channel = 0; channel < channels!; channel++, y++)
          for (let tap = 0; tap < rows! * columns!; tap++) {
            const row = down * strides[0] + Math.floor(tap / columns!) * dilations[0] - top;
            const column = across * strides[1] + (tap % columns!) * dilations[1] - left;
            if (row < 0 || row >= height! || column < 0 || column >= width!) continue;
            body(((n * height! + row) * width! + column) * channels! + channel, tap * channels! + channel, y);
          }
  return [batch!, ...windows, channels!];
}

for (const { kind, skip } of engineKinds) {
  t.test(`depthwise convolution on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });

    t.test("is its definition in every geometry, and so are its gradients", async (t) => {
      holds(t, ops, cases, ({ seed, batch, image, channels, kernel, ...geometry }) => {
        const shape = [batch, ...image, channels];
        const weightShape = [...kernel, 1, channels];
        const [x, weight] = [upload(ops, seed, "x", shape), upload(ops, seed, "w", weightShape)];
        const given = products(shape, kernel, geometry, () => {});
        const g = upload(ops, seed, "g", given);
        const [output, byX, byWeight] = [given, shape, weightShape].map((one) => new Float64Array(elementsOf(one)));
        products(shape, kernel, geometry, (at, tap, y) => {
          output![y]! += x.values[at]! * weight.values[tap]!;
          byX![at]! += g.values[y]! * weight.values[tap]!;
          byWeight![tap]! += g.values[y]! * x.values[at]!;
        });
        matches(ops, ops.depthwiseConv2d(x.tensor, weight.tensor, geometry), given, output!, 1e-5);
        const back = [g.tensor, geometry] as const;
        matches(ops, ops.depthwiseConv2dInputGradient(shape, weight.tensor, ...back), shape, byX!, 1e-5);
        matches(ops, ops.depthwiseConv2dWeightGradient(x.tensor, weightShape, ...back), weightShape, byWeight!, 1e-4);
      });
    });

    t.test("large images, which threads share, are the same every time", async (t) => {
      const shape = [2, 40, 40, 24];
      const geometry: Conv2dGeometry = {
        strides: [1, 1],
        dilations: [1, 1],
        padding: { top: 1, bottom: 1, left: 1, right: 1 },
      };
      const weightShape = [3, 3, 1, 24];
      const found = () =>
        ops.scope(
          () => {
            const [x, weight] = [upload(ops, 1, "x", shape).tensor, upload(ops, 1, "w", weightShape).tensor];
            const y = ops.depthwiseConv2d(x, weight, geometry);
            const all = [y, ops.depthwiseConv2dInputGradient(shape, weight, y, geometry)];
            return [...all, ops.depthwiseConv2dWeightGradient(x, weightShape, y, geometry)].map((one) =>
              ops.read(one).slice(),
            );
          },
          () => [],
        );
      t.strictSame(found(), found());
    });
  });
}
