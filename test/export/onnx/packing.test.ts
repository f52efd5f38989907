import fc from "fast-check";
import t from "tap";
import { packCodes, packedBytes } from "../../../src/export/onnx/packing.ts";
import { unpackCodes } from "../../fixtures/onnx-values.ts";

t.test("the first element lies in the lowest bits", async (t) => {
  // 1, -1, 0, 1 in two's complement of 2 bits: 01, 11, 00, 01; lowest first: 0b01_00_11_01.
  t.same([...packCodes([1, -1, 0, 1], 2)], [0b01001101]);
  t.same([...packCodes([7, -7, 1], 4)], [0x97, 0x01]);
  t.same([...packCodes([-2, 258], 16)], [0xfe, 0xff, 0x02, 0x01]);
});

t.test("packing loses nothing and wastes no byte", async (t) => {
  const cases = fc
    .constantFrom(2 as const, 4 as const, 8 as const, 16 as const)
    .chain((bits) =>
      fc.tuple(fc.constant(bits), fc.array(fc.integer({ min: 1 - 2 ** (bits - 1), max: 2 ** (bits - 1) - 1 }))),
    );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(cases, ([bits, codes]) => {
        const packed = packCodes(codes, bits);
        t.equal(packed.length, packedBytes(bits, codes.length));
        t.same([...unpackCodes(packed, bits, codes.length)], codes);
      }),
      { seed: 3 },
    ),
  );
});
