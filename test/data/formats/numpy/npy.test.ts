import fc from "fast-check";
import t from "tap";
import { UserError } from "../../../../src/core/errors.ts";
import { elementBytes, elementKind, parseNpyHeader, readNumbers } from "../../../../src/data/formats/numpy/npy.ts";
import { npy } from "../../../fixtures/npy.ts";

const parse = (bytes: Uint8Array) => parseNpyHeader(bytes, "a.npz: x");

t.test("type, shape and start, in every version of the format", async (t) => {
  t.same(parse(npy("|u1", [3, 2, 2], new Uint8Array(12))), { type: "|u1", shape: [3, 2, 2], start: 128 });
  t.same(parse(npy("<i8", [5], new Uint8Array(40))).shape, [5]);
  t.same(parse(npy("<i8", [], new Uint8Array(8))).shape, []);
  const first = npy("|u1", [4], new Uint8Array(4));
  const second = Buffer.concat([Buffer.from("\x93NUMPY\x02\x00", "latin1"), Buffer.alloc(4), first.subarray(10)]);
  second.writeUInt32LE(first.readUInt16LE(8), 8);
  t.same(parse(second), { type: "|u1", shape: [4], start: first.length - 4 + 2 });
});

t.test("what is no plain array is refused, with the reason and the remedy", async (t) => {
  const whole = npy("|u1", [3], new Uint8Array(3));
  const changed = (change: (text: string) => string) => parse(npy("|u1", [3], new Uint8Array(3), change));
  t.throws(() => parse(Buffer.from("not a numpy file")), /a\.npz: x: not a \.npy file/);
  t.throws(() => parse(whole.subarray(0, 8)), /truncated at offset 8/);
  t.throws(() => parse(whole.subarray(0, 60)), /truncated at offset 60: its header has 128 bytes/);
  t.throws(() => parse(Buffer.from(whole).fill(9, 6, 7)), /version 9 of the \.npy format/);
  t.throws(() => changed((text) => text.replace("False", "True")), /Fortran order.*ascontiguousarray/);
  t.throws(() => changed((text) => text.replace("'|u1'", "[('a', '<i4')]")), /no plain array/);
  t.throws(() => changed((text) => text.replace("(3,)", "(-3,)")), /no plain array/);
  t.throws(() => changed(() => "{}"), /no plain array/);
});

t.test("no bytes but make a header or an error for users", async (t) => {
  const whole = npy("|u1", [3], new Uint8Array(3));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        try {
          parse(bytes.subarray(0, length));
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { seed: 1, numRuns: 3000 },
    ),
  );
});

t.test("floats of both sizes and byte orders", async (t) => {
  const bytes = new Uint8Array(Float32Array.of(1.5, -2, Number.NaN).buffer);
  t.same(readNumbers(bytes, "<f4"), [1.5, -2, Number.NaN]);
  t.same(readNumbers(bytes.toReversed(), ">f4"), [Number.NaN, -2, 1.5]);
  t.same(readNumbers(new Uint8Array(Float64Array.of(0.1).buffer), "<f8"), [0.1]);
  t.same(["<f4", ">f8"].map(elementKind), ["floats", "floats"]);
  t.equal(elementBytes("<f8"), 8);
});

t.test("integers of every size and byte order", async (t) => {
  const bytes = new Uint8Array(Int32Array.of(1, -2, 70000).buffer);
  t.same(readNumbers(bytes, "<i4"), [1, -2, 70000]);
  t.same(readNumbers(bytes.toReversed(), ">i4"), [70000, -2, 1]);
  t.same(readNumbers(new Uint8Array(BigInt64Array.of(5n, -1n).buffer), "<i8"), [5, -1]);
  t.same(readNumbers(Uint8Array.of(200), "|u1"), [200]);
  t.same(readNumbers(Uint8Array.of(200), "|i1"), [-56]);
  t.equal(elementBytes("<u2"), 2);
  t.equal(elementKind("<u2"), "integers");
  t.equal(elementKind("|b1"), "integers", "NumPy's bools are 0 and 1");
  t.same(readNumbers(Uint8Array.of(0, 1), "|b1"), [0, 1]);
  for (const type of ["<U3", "<f2"]) t.equal(elementKind(type), null);
});
