import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readSamples } from "../../src/ptq/read-samples.ts";
import { inputTypes, type SampleData } from "../../src/ptq/sample-types.ts";
import { npy, npz } from "../fixtures/npy.ts";

const folder = t.testdir();
const written = (name: string, bytes: Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const bytesOf = (values: SampleData) => new Uint8Array(values.buffer);

const stored: Readonly<Record<string, readonly [bytes: SampleData, read: SampleData]>> = {
  "<f2": [Uint16Array.of(0x3c00, 0xc000), Float32Array.of(1, -2)],
  "<f4": [Float32Array.of(1.5, -2), Float32Array.of(1.5, -2)],
  "<f8": [Float64Array.of(1.5, -2), Float64Array.of(1.5, -2)],
  "<i8": [BigInt64Array.of(-(2n ** 62n), 3n), BigInt64Array.of(-(2n ** 62n), 3n)],
  "<u8": [BigUint64Array.of(2n ** 63n, 3n), BigUint64Array.of(2n ** 63n, 3n)],
  "<i4": [Int32Array.of(-1, 3), Int32Array.of(-1, 3)],
  "<i2": [Int16Array.of(-1, 3), Float64Array.of(-1, 3)],
  "|u1": [Uint8Array.of(255, 3), Uint8Array.of(255, 3)],
  "|b1": [Uint8Array.of(1, 0), Uint8Array.of(1, 0)],
};

t.test("arrays of every type, of .npz and .npy files", async (t) => {
  for (const [type, [values, expected]] of Object.entries(stored)) {
    const array = npy(type, [2], bytesOf(values));
    const { arrays } = await readSamples(written("it.npz", npz({ x: array })), ["x"]);
    t.strictSame(arrays.get("x"), { shape: [2], data: expected }, type);
    t.strictSame([...(await readSamples(written("it.npy", array), ["x"])).arrays.values()], [...arrays.values()], type);
  }
  const words = written("words.npz", npz({ x: npy("<U2", [1], new Uint8Array(8)) }));
  await t.rejects(readSamples(words, ["x"]), { message: /words\.npz: x: elements of type "<U2", expected numbers/ });
});

t.test("labels are classes, unless an input is called so", async (t) => {
  const x = npy("<f4", [2], bytesOf(Float32Array.of(1, 2)));
  const labels = npy("<i8", [2], bytesOf(BigInt64Array.of(7n, 9n)));
  const path = written("labels.npz", npz({ x, labels }));
  const apart = await readSamples(path, ["x"]);
  t.strictSame([[...apart.arrays.keys()], apart.labels], [["x"], Int32Array.of(7, 9)]);
  const input = await readSamples(path, ["x", "labels"]);
  t.strictSame([[...input.arrays.keys()], input.labels], [["x", "labels"], null]);
  const wrong = written("wrong.npz", npz({ x, labels: x }));
  await t.rejects(readSamples(wrong, ["x"]), {
    message: /wrong\.npz: labels: elements of type "<f4", expected integers/,
  });
});

t.test("an input takes the numbers that its type has", async (t) => {
  const whole = Float64Array.of(0, 1, 1);
  for (const [type, { problem, tensor }] of Object.entries(inputTypes)) {
    if (["string", "int4", "uint4"].includes(type)) {
      t.match(problem(whole), /cannot be given/, type);
      continue;
    }
    t.equal(problem(whole), null, type);
    const made = tensor(whole, [3]);
    t.strictSame([made.type, made.dims], [type, [3]]);
    const half = type === "float16" ? [0, 0x3c00, 0x3c00] : [0, 1, 1];
    t.strictSame(Array.from(made.data as ArrayLike<number>, Number), half, type);
  }
  for (const type of ["float32", "float64", "float16"] as const)
    t.equal(inputTypes[type].problem(Float32Array.of(NaN, 1, NaN)), "NaN, 2 of 3 values: expected numbers");
  t.equal(inputTypes.float32.problem(Float32Array.of(-Infinity)), null, "as masks have it");
  t.match(inputTypes.int8.problem(Int32Array.of(128)), /^128: expected -128 to 127/);
  t.match(inputTypes.bool.problem(Uint8Array.of(2)), /^2: expected 0 to 1/);
  t.match(inputTypes.int64.problem(BigUint64Array.of(2n ** 63n)), /^9223372036854775808: expected/);
  t.match(inputTypes.uint32.problem(Float32Array.of(0.25)), /^0\.25: expected whole numbers/);
});
