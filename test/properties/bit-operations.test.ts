import fc from "fast-check";
import t from "tap";
import { bitOperations, relativeBitOperations } from "../../src/quantization/bit-operations.ts";

const layer = fc.record({
  macs: fc.integer({ min: 1, max: 1e9 }),
  weightBits: fc.constantFrom(2, 4, 8, 16, 32),
  inputBits: fc.constantFrom(2, 4, 8, 16, 32),
  keptOutputs: fc.double({ min: 0, max: 1, noNaN: true }),
  keptInputs: fc.double({ min: 0, max: 1, noNaN: true }),
});

t.test("bit operations grow with every bit-width and every kept channel", (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(layer, layer, (a, b) => {
        const larger = {
          macs: a.macs,
          weightBits: Math.max(a.weightBits, b.weightBits),
          inputBits: Math.max(a.inputBits, b.inputBits),
          keptOutputs: Math.max(a.keptOutputs, b.keptOutputs),
          keptInputs: Math.max(a.keptInputs, b.keptInputs),
        };
        return bitOperations(larger) >= bitOperations(a);
      }),
      { seed: 7 },
    ),
  );
  t.end();
});

t.test("an unpruned network at 32 × 32 bits has 100 %, at 8 × 8 bits 6.25 %", (t) => {
  const at = (bits: number) => [{ macs: 1000, weightBits: bits, inputBits: bits, keptOutputs: 1, keptInputs: 1 }];
  t.equal(relativeBitOperations(at(32)), 100);
  t.equal(relativeBitOperations(at(8)), 6.25);
  t.end();
});
