import fc from "fast-check";

/** Changes bytes; positions are taken modulo the length. */
type Mutation = (bytes: Buffer) => Buffer;

const position = fc.nat({ max: 2 ** 31 - 1 });
const within = (at: number, bytes: Buffer): number => (bytes.length === 0 ? 0 : at % bytes.length);

/** Replaces `removed` bytes from `at` by others. */
const splice = (bytes: Buffer, at: number, removed: number, put: Uint8Array): Buffer => {
  const start = within(at, bytes);
  return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + removed)]);
};

/** Numbers at which sizes and offsets go wrong. */
const edges = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Words that mean something to YAML, JSON, paths or JavaScript. */
const words = [
  ...[
    '"',
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\n",
    "  ",
    "\t",
    "#",
    "---\n",
    "...",
    "&a ",
    "*a",
    "<<: *a",
    "!!set ",
    "!!js/f x",
  ],
  ...["null", "true", "-1", "1e999", "-0", ".nan", ".inf", "0x10", "1_000", "NaN", "2026-01-01", "9007199254740993"],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "length",
    "extends: .",
    "../../../etc/passwd",
    "/dev/zero",
    "\0",
    "\u202e",
  ],
];

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(position, fc.nat({ max: 255 })).map(
    ([at, value]): Mutation =>
      (bytes) =>
        splice(bytes, at, 1, Buffer.of(value)),
  ),
  fc.tuple(position, fc.nat({ max: 7 })).map(
    ([at, bit]): Mutation =>
      (bytes) =>
        splice(bytes, at, 1, Buffer.of((bytes[within(at, bytes)] ?? 0) ^ (1 << bit))),
  ),
  fc.tuple(position, fc.nat({ max: 64 })).map(
    ([at, length]): Mutation =>
      (bytes) =>
        splice(bytes, at, length, Buffer.alloc(0)),
  ),
  fc.tuple(position, fc.uint8Array({ maxLength: 16 })).map(
    ([at, put]): Mutation =>
      (bytes) =>
        splice(bytes, at, 0, put),
  ),
  fc.tuple(position, fc.constantFrom(...words)).map(
    ([at, word]): Mutation =>
      (bytes) =>
        splice(bytes, at, 0, Buffer.from(word)),
  ),
  fc.tuple(position, fc.constantFrom(...words)).map(
    ([at, word]): Mutation =>
      (bytes) =>
        splice(bytes, at, word.length, Buffer.from(word)),
  ),
  position.map(
    (at): Mutation =>
      (bytes) =>
        bytes.subarray(0, within(at, bytes)),
  ),
  fc.tuple(position, fc.nat({ max: 100 }), fc.nat({ max: 300 })).map(
    ([at, length, times]): Mutation =>
      (bytes) => {
        const part = bytes.subarray(within(at, bytes), within(at, bytes) + length);
        return splice(bytes, at, 0, Buffer.concat(Array.from({ length: times }, () => part)));
      },
  ),
  fc.tuple(position, position, fc.nat({ max: 200 })).map(
    ([from, to, length]): Mutation =>
      (bytes) =>
        splice(bytes, to, 0, bytes.subarray(within(from, bytes), within(from, bytes) + length)),
  ),
  fc.tuple(position, fc.constantFrom(...edges), fc.constantFrom(1, 2, 4, 8), fc.boolean()).map(
    ([at, value, width, little]): Mutation =>
      (bytes) => {
        const number = Buffer.alloc(8);
        if (little) number.writeBigUInt64LE(value);
        else number.writeBigUInt64BE(value);
        return splice(bytes, at, width, little ? number.subarray(0, width) : number.subarray(8 - width));
      },
  ),
);

/** One of the seeds after a few mutations, or bytes of any kind. */
export const mutated = (seeds: readonly Uint8Array[]): fc.Arbitrary<Buffer> =>
  fc.oneof(
    {
      weight: 30,
      arbitrary: fc
        .tuple(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 6 }))
        .map(([seed, changes]) => changes.reduce<Buffer>((bytes, change) => change(bytes), Buffer.from(seed))),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  );
