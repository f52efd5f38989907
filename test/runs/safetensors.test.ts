import fc from "fast-check";
import t from "tap";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/runs/safetensors.ts";

const decode = (bytes: Uint8Array) => decodeSafetensors(Buffer.from(bytes), "the file");
const refused = (message: RegExp) => ({ name: "UserError", message });

/** A file with this header and so many bytes of data. */
function file(header: unknown, dataBytes = 0, length?: number): Buffer {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = Buffer.alloc(8 + json.length + dataBytes);
  bytes.writeBigUInt64LE(BigInt(length ?? json.length), 0);
  json.copy(bytes, 8);
  return bytes;
}

const tensor = fc.oneof(
  fc.float32Array({ maxLength: 9 }).map((values): StoredTensor => ({ shape: [values.length], values })),
  fc.float64Array({ maxLength: 9 }).map((values): StoredTensor => ({ shape: [1, values.length], values })),
);

t.test("tensors read back as they were written, bit by bit", async (t) => {
  const named = fc.dictionary(fc.string({ minLength: 1 }), tensor).filter((all) => !("__metadata__" in all));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(named, fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
        const map = new Map(Object.entries(tensors));
        const bytes = encodeSafetensors(map, { ...metadata });
        const read = decode(bytes);
        const bits = ({ values }: StoredTensor) => Buffer.from(values.buffer).toString("hex");
        const flat = (all: ReadonlyMap<string, StoredTensor>) =>
          JSON.stringify(
            Array.from(all, ([name, one]) => [name, one.shape, one.values.BYTES_PER_ELEMENT, bits(one)]).toSorted(),
          );
        return flat(read.tensors) === flat(map) && JSON.stringify(read.metadata) === JSON.stringify({ ...metadata });
      }),
      { seed: 5 },
    ),
  );
});

t.test("the layout is the format's: length, JSON header, data aligned to 8 bytes", async (t) => {
  const bytes = Buffer.from(
    encodeSafetensors(new Map([["a", { shape: [1, 2], values: Float32Array.of(1, 2) }]]), { note: "x" }),
  );
  const length = Number(bytes.readBigUInt64LE(0));
  t.equal(length % 8, 0);
  t.strictSame(JSON.parse(bytes.toString("utf8", 8, 8 + length)), {
    __metadata__: { note: "x" },
    a: { dtype: "F32", shape: [1, 2], data_offsets: [0, 8] },
  });
  t.strictSame([bytes.readFloatLE(8 + length), bytes.readFloatLE(12 + length)], [1, 2]);
  t.equal(bytes.length, 16 + length);
});

t.test("tensors that share bytes, or leave some to none, are refused as the format demands", async (t) => {
  const at = (start: number, end: number) => ({ dtype: "F32", shape: [(end - start) / 4], data_offsets: [start, end] });
  t.equal(decode(file({ b: at(4, 8), a: at(0, 4), empty: at(4, 4) }, 8)).tensors.size, 3, "in any order");
  t.throws(() => decode(file({ a: at(0, 8), b: at(0, 8) }, 8)), refused(/tensor b begins at byte 0, within another/));
  t.throws(() => decode(file({ a: at(0, 8), b: at(4, 12) }, 12)), refused(/tensor b begins at byte 4, within/));
  t.throws(() => decode(file({ a: at(0, 4), b: at(8, 12) }, 12)), refused(/no tensor holds bytes 4 to 8/));
  t.throws(() => decode(file({ a: at(0, 4) }, 12)), refused(/no tensor holds bytes 4 to 12/));
  t.throws(() => decode(file({}, 4)), refused(/no tensor holds bytes 0 to 4/));
});

t.test("a header has 100 MB at most, in both directions", async (t) => {
  const large = Buffer.alloc(8 + 100_000_008, " ");
  large.writeBigUInt64LE(100_000_008n);
  large.write("{}", 8);
  t.throws(() => decode(large), refused(/header of 100000008 bytes/));
  const note = "x".repeat(100_000_000);
  t.throws(() => encodeSafetensors(new Map(), { note }), refused(/safetensors has at most 100000000/));
});

t.test("what does not hold is refused with its place", async (t) => {
  const entry = (change: object) => ({ a: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...change } });
  t.strictSame(decode(file(entry({}), 8)).tensors.get("a")?.values.length, 2);
  t.throws(() => decode(Buffer.alloc(7)), refused(/the file: it is damaged \(7 bytes, a header needs 8\)/));
  t.throws(() => decode(file({}, 0, 3)), refused(/header of 3 bytes in a file of 10/));
  t.throws(() => decode(file({}, 0, 2 ** 40)), refused(/header of 1099511627776 bytes/));
  t.throws(() => decode(file("{,}")), refused(/the header at byte 8 is not JSON/));
  t.throws(() => decode(file([])), refused(/does not describe tensors/));
  t.throws(() => decode(file(entry({ dtype: "I8" }), 8)), refused(/does not describe tensors: a\.dtype/));
  t.throws(() => decode(file(entry({ shape: [-2] }), 8)), refused(/a\.shape/));
  t.throws(() => decode(file(entry({}), 7)), refused(/tensor a ends at byte 8 of 7/));
  t.throws(() => decode(file(entry({ shape: [3] }), 8)), refused(/tensor a/));
  t.throws(() => decode(file(entry({ data_offsets: [8, 0] }), 8)), refused(/tensor a/));
  t.throws(() => decode(file(entry({ shape: [2, 2 ** 52] }), 8)), refused(/tensor a/));
});
