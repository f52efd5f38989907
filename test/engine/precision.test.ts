import t from "tap";
import { hasBfloat16 } from "../../src/engine/environment.ts";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { freeing, nativeMissing, near, upload } from "../fixtures/engines.ts";
import { recordingReporter } from "../fixtures/reporter.ts";

const geometry = { strides: [1, 1], dilations: [1, 1], padding: { top: 1, bottom: 1, left: 1, right: 1 } } as const;
const lacking = nativeMissing() || (!hasBfloat16() && "this processor has no bfloat16 instructions");

t.test("bfloat16 convolutions and products agree with float32 to their 8 bits", { skip: lacking }, async (t) => {
  const { ops, atPrecision } = await loadEngine({ kind: "native" });
  const low = atPrecision("bfloat16");
  freeing(ops, () => {
    const [x, w] = [upload(ops, 1, "x", [2, 6, 6, 8]).tensor, upload(ops, 1, "w", [3, 3, 8, 4]).tensor];
    const g = upload(ops, 1, "g", [2, 6, 6, 4]).tensor;
    t.equal(low.narrow(x).dtype, "bfloat16");
    t.equal(ops.narrow(x), x, "float32 tensors are not copied in float32");
    const pairs = [
      [low.conv2d(low.narrow(x), low.narrow(w), geometry), ops.conv2d(x, w, geometry)],
      [
        low.conv2dInputGradient(x.shape, low.narrow(w), low.narrow(g), geometry),
        ops.conv2dInputGradient(x.shape, w, g, geometry),
      ],
      [
        low.conv2dWeightGradient(low.narrow(x), w.shape, low.narrow(g), geometry),
        ops.conv2dWeightGradient(x, w.shape, g, geometry),
      ],
    ] as const;
    for (const [actual, expected] of pairs) {
      t.equal(actual.dtype, "float32");
      const [a, e] = [actual, expected].map((tensor) => Float32Array.from(ops.read(tensor))) as [
        Float32Array,
        Float32Array,
      ];
      t.doesNotThrow(() => near(a, e, 2 ** -6));
      t.notSame(a, e, "it is another precision");
    }
  });
});

t.test("WebAssembly says that it trains in float32", async (t) => {
  const reporter = recordingReporter();
  const { ops, atPrecision } = await loadEngine({ kind: "wasm", reporter });
  t.equal(atPrecision("bfloat16"), ops);
  t.match(reporter.warnings.at(-1), /no bfloat16: training in float32/);
});
