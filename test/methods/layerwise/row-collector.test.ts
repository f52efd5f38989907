import fc from "fast-check";
import t from "tap";
import { denseGeometry, RowCollector } from "../../../src/methods/layerwise/row-collector.ts";
import { anyEngine, freeing, near, random } from "../../fixtures/engines.ts";
import { lawHolds } from "../../fixtures/laws.ts";
import { products } from "../../fixtures/layer-problems.ts";

const { ops } = await anyEngine();

const cases = fc.record({
  seed: fc.nat(1e6),
  kernel: fc.constantFrom<readonly [number, number]>([1, 1], [3, 3], [2, 3]),
  stride: fc.constantFrom(1, 2),
  pad: fc.constantFrom(0, 1),
  size: fc.constantFrom<readonly [number, number]>([4, 5], [6, 3]),
});

t.test("weights times patches are the convolution, at every position", async (t) => {
  lawHolds(
    t,
    cases,
    ({ seed, kernel, stride, pad, size }) => {
      const [batch, channels, outputs] = [3, 2, 4];
      const padding = { top: pad, bottom: pad, left: 0, right: pad };
      const output = [
        Math.floor((size[0] + 2 * pad - kernel[0]) / stride) + 1,
        Math.floor((size[1] + pad - kernel[1]) / stride) + 1,
      ] as const;
      const geometry = {
        kernel,
        groups: 1,
        channels: [channels, outputs],
        output,
        strides: [stride, stride],
        dilations: [1, 1],
        padding,
      } as const;
      const shape = [batch, size[0], size[1], channels] as const;
      const x = random(seed, "x", shape);
      // Output channel first here, last on the engine.
      const inputs = channels * kernel[0] * kernel[1];
      const weights = random(seed, "w", [outputs, inputs]);
      const moved = Float32Array.from(weights, (_, i) => {
        const [m, channel] = [i % outputs, Math.floor(i / outputs) % channels];
        return weights[(m * channels + channel) * kernel[0] * kernel[1] + Math.floor(i / outputs / channels)]!;
      });
      const y = freeing(ops, () =>
        Float32Array.from(
          ops.read(ops.conv2d(ops.tensor(x, shape), ops.tensor(moved, [...kernel, channels, outputs]), geometry)),
        ),
      );
      const positions = output[0] * output[1];
      const collector = new RowCollector(geometry, { samples: batch, positions, seed, layer: "l" });
      const slice = (values: Float32Array, first: number, last: number) =>
        values.subarray((first * values.length) / batch, (last * values.length) / batch);
      for (const [first, last] of [
        [0, 2],
        [2, 3],
      ] as const) {
        const images = last - first;
        collector.add(
          { values: slice(x, first, last), shape: [images, size[0], size[1], channels] },
          { values: slice(y, first, last), shape: [images, output[0], output[1], outputs] },
        );
      }
      const rows = collector.rows();
      near(rows.targets, y, 0);
      near(products(weights, rows.inputs, { groups: 1, outputs, inputs }), y);
    },
    30,
  );
});

t.test("a sample of positions holds matching patches and outputs; the seed decides which", async (t) => {
  const geometry = {
    kernel: [1, 1],
    groups: 2,
    channels: [4, 4],
    output: [5, 6],
    strides: [1, 1],
    dilations: [1, 1],
    padding: { top: 0, bottom: 0, left: 0, right: 0 },
  } as const;
  const shape = [2, 5, 6, 4] as const;
  const x = random(1, "x", shape);
  const collect = (seed: number) => {
    const collector = new RowCollector(geometry, { samples: 2, positions: 7, seed, layer: "l" });
    collector.add({ values: x, shape }, { values: x.map((value) => 3 * value), shape });
    return collector.rows();
  };
  const rows = collect(1);
  t.same([rows.groups, rows.samples, rows.positions], [2, 2, 7]);
  near(
    rows.targets,
    rows.inputs.map((value) => 3 * value),
  );
  t.equal(rows.inputs.length, 2 * 7 * 4);
  const firstOf = (row: number) => rows.inputs[row * 2]!;
  const places = Array.from({ length: 7 }, (_, row) => x.indexOf(firstOf(row)));
  t.equal(new Set(places).size, 7, "no position twice");
  t.ok(
    places.every((at) => at >= 0 && at < 30 * 4 && at % 4 === 0),
    "of the first image, its first channels",
  );
  t.ok(x.indexOf(firstOf(7)) >= 30 * 4, "then of the second image");
  const second = rows.inputs.slice(14 * 2).findIndex((_, i) => x.indexOf(rows.inputs[14 * 2 + i]!) % 4 < 2);
  t.equal(second, -1, "the second group has the other channels");
  t.same(collect(1), rows);
  t.notSame(collect(2), rows);
});

t.test("a dense layer has one position; missing images are an error", async (t) => {
  const collector = new RowCollector(denseGeometry(3, 2), { samples: 2, positions: 64, seed: 1, layer: "fc" });
  const add = (value: number) =>
    collector.add(
      { values: new Float32Array(3).fill(value), shape: [1, 1, 1, 3] },
      { values: new Float32Array(2).fill(-value), shape: [1, 1, 1, 2] },
    );
  add(1);
  t.throws(() => collector.rows(), { message: /1 of 2 calibration images/ });
  add(2);
  t.same(collector.rows(), {
    groups: 1,
    samples: 2,
    positions: 1,
    inputs: Float32Array.of(1, 1, 1, 2, 2, 2),
    targets: Float32Array.of(-1, -1, -2, -2),
  });
});
