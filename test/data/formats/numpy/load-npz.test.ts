import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { UsageError } from "../../../../src/core/errors.ts";
import { loadNpz } from "../../../../src/data/formats/numpy/load-npz.ts";
import { valuesOf } from "../../../../src/data/sample-numbers.ts";
import { npy, npyImages, npyLabels, npz } from "../../../fixtures/npy.ts";
import { sha256Of } from "../../../fixtures/registry.ts";
import { classNames } from "../../../fixtures/tasks.ts";

const root = t.testdir();
const file = (name: string, bytes: Uint8Array) => {
  const path = join(root, name);
  writeFileSync(path, bytes);
  return path;
};
const archive = (name: string, arrays: Readonly<Record<string, Buffer>>) => file(`${name}.npz`, npz(arrays));
const good = archive("good", { images: npyImages([6, 4, 5, 3]), labels: npyLabels(6) });
/** A pair whose training file has these arrays instead. */
const refused = (name: string, arrays: Readonly<Record<string, Buffer>>) =>
  loadNpz({ train: archive(name, arrays), test: good }, "classes");

t.test("where nobody needs labels, they are classes, or nothing", async (t) => {
  const images = npyImages([6, 4, 5, 3]);
  const bytes = (shape: readonly number[], value = 0) =>
    npy("|i1", shape, new Uint8Array(shape.reduce((product, size) => product * size)).fill(value));
  for (const [name, labels] of Object.entries({
    angles: npy("<f4", [6], new Uint8Array(24).fill(255)),
    masks: bytes([6, 4, 5]),
    rows: bytes([6, 3]),
    unknown: bytes([6], 255),
    words: npy("<U5", [6], new Uint8Array(120)),
  })) {
    const path = archive(`needless-${name}`, { images, labels });
    const { targets, train } = await loadNpz({ train: path, test: path }, null);
    t.strictSame([targets, train.targets.kind], [{ kind: "none" }, "none"], name);
    t.match((await loadNpz({ train: good, test: path }, null)).targets, { kind: "none" }, `tested on ${name}`);
  }
  t.match((await loadNpz({ train: good, test: good }, null)).targets, { kind: "classes", names: ["0", "1", "2"] });
});

t.test("names of classes make no labels", async (t) => {
  const path = archive("bare", { images: npyImages([6, 4, 5, 3]) });
  const classes = ["a", "b"];
  const { targets, test } = await loadNpz({ train: path, test: path, classes }, "classes", { unlabelled: true });
  t.strictSame([targets, test.targets.kind], [{ kind: "none", names: classes }, "none"]);
});

t.test("masks of black and white are of two classes", async (t) => {
  const images = npyImages([2, 2, 2]);
  const load = (name: string, train: readonly number[], test: readonly number[] = train) => {
    const maskOf = (values: readonly number[]) => npy("|u1", [2, 2, 2], Uint8Array.from(values));
    const labels = { train_labels: maskOf(train), test_labels: maskOf(test) };
    const path = archive(name, { train_images: images, test_images: images, ...labels });
    return loadNpz({ train: path, test: path, classes: ["out", "in"] }, "masks");
  };
  const blackAndWhite = [0, 255, 0, 0, 255, 255, 0, 0];
  t.strictSame([...(await load("white", blackAndWhite)).train.targets.values], [0, 1, 0, 0, 1, 1, 0, 0]);
  t.strictSame([...(await load("black", new Array(8).fill(0), blackAndWhite)).test.targets.values][1], 1);
  const withVoid = [0, 255, 1, 0, 255, 255, 0, 0];
  t.strictSame([...(await load("void", withVoid)).train.targets.values], withVoid);
  t.strictSame([...(await load("tested", blackAndWhite, withVoid)).train.targets.values], blackAndWhite);
});

t.test("two files, or one that holds both parts, under the usual names", async (t) => {
  const test = archive("test", { x: npyImages([2, 4, 5, 3]), y: npyLabels(2) });
  const loaded = await loadNpz({ train: good, test }, "classes");
  t.same([loaded.train.count, loaded.test.count, ...loaded.imageShape], [6, 2, 4, 5, 3]);
  t.same(classNames(loaded.targets), ["0", "1", "2"]);
  t.same([...loaded.train.targets.values], [0, 1, 2, 0, 1, 2]);
  t.equal(loaded.train.images[60 + 3], 10, "pixel 3 of image 1");
  t.same(
    loaded.files.map(({ name, bytes }) => [name, bytes]),
    [
      ["good.npz", npz({ images: npyImages([6, 4, 5, 3]), labels: npyLabels(6) }).length],
      ["test.npz", npz({ x: npyImages([2, 4, 5, 3]), y: npyLabels(2) }).length],
    ],
  );
  t.equal(loaded.files[0]!.sha256, sha256Of(npz({ images: npyImages([6, 4, 5, 3]), labels: npyLabels(6) })));

  const keras = archive("keras", {
    x_test: npyImages([3, 4, 4]),
    y_test: npyLabels(3),
    x_train: npyImages([9, 4, 4]),
    y_train: npyLabels(9),
  });
  const gray = await loadNpz({ train: keras, test: keras, classes: ["a", "b", "c", "d"] }, "classes");
  t.same([gray.train.count, gray.test.count, ...gray.imageShape, gray.files.length], [9, 3, 4, 4, 1, 1]);
  t.same(classNames(gray.targets), ["a", "b", "c", "d"]);
  const column = npy("|u1", [3, 1], Uint8Array.of(2, 1, 0));
  const medmnist = archive("medmnist", {
    train_images: npyImages([3, 4, 4]),
    train_labels: column,
    test_images: npyImages([3, 4, 4]),
    test_labels: column,
  });
  t.same([...(await loadNpz({ train: medmnist, test: medmnist }, "classes")).train.targets.values], [2, 1, 0]);
});

t.test("a file that is none, or damaged, is refused by name", async (t) => {
  await t.rejects(loadNpz({ train: join(root, "gone.npz"), test: good }, "classes"), /cannot read .*gone\.npz: ENOENT/);
  await t.rejects(loadNpz({ train: root, test: good }, "classes"), /it is not a file/);
  await t.rejects(
    loadNpz({ train: file("text.npz", Buffer.from("text")), test: good }, "classes"),
    /cannot read .*text\.npz: /,
  );
  const bytes = npz({ images: npyImages([6, 4, 5, 3]), labels: npyLabels(6) });
  const cut = file("cut.npz", bytes.subarray(0, bytes.length - 30));
  await t.rejects(loadNpz({ train: cut, test: good }, "classes"), /cannot read .*cut\.npz: /);
  const whole = JSON.stringify((await loadNpz({ train: good, test: good }, "classes")).train);
  // One bit here and there, mostly of packed pixels and labels; a changed date of an entry does no harm.
  const flips = await Promise.all(
    Array.from({ length: 24 }, async (_, index) => {
      const changed = Buffer.from(bytes);
      changed[bytes.length - 140 - 5 * index]! ^= 1 << (index % 8);
      const path = file(`flip-${index}.npz`, changed);
      return loadNpz({ train: path, test: good }, "classes").then(
        ({ train }) => (JSON.stringify(train) === whole ? "the same" : "other data"),
        (error: Error) => error.name,
      );
    }),
  );
  t.notOk(flips.includes("other data"));
  t.ok(flips.filter((outcome) => outcome === "UserError").length > 12, flips.join(", "));
});

t.test("arrays that are missing or of another kind are refused, with what to do", async (t) => {
  const [images, labels] = [npyImages([6, 4, 5, 3]), npyLabels(6)];
  await t.rejects(
    refused("names", { pictures: images, labels }),
    /names\.npz: it has no train images: expected an array named train_images, x_train, images, x; it holds pictures, labels/,
  );
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`a${index}`, labels]));
  await t.rejects(refused("many", many), /it holds a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, and 990 more$/);
  await t.rejects(refused("unlabelled", { images }), /it has no train labels/);
  const halves = npy("<f2", [6, 4, 5, 3], new Uint8Array(6 * 60 * 2));
  await t.rejects(
    refused("halves", { images: halves, labels }),
    /halves\.npz: images: elements of type "<f2".*astype\("uint8"\)/,
  );
  const floats = npy("<f4", [6, 4, 5, 3], new Uint8Array(6 * 60 * 4));
  await t.rejects(
    refused("floats", { images: floats, labels }),
    /the training part has values, the test part images: they are not of one data set/,
  );
  await t.rejects(
    refused("first", { images: npyImages([6, 3, 4, 5]), labels }),
    /shape \(6, 3, 4, 5\), expected .*array\.transpose\(0, 2, 3, 1\)/,
  );
  await t.rejects(refused("flat", { images: npyImages([6, 60]), labels }), /shape \(6, 60\), expected/);
  await t.rejects(refused("none", { images: npyImages([0, 4, 5, 3]), labels }), /shape \(0, 4, 5, 3\)/);
  const fortran = npy("|u1", [6, 4, 5, 3], new Uint8Array(360), (text) => text.replace("False", "True"));
  await t.rejects(
    refused("fortran", { images: fortran, labels }),
    /Fortran order; save it with numpy\.ascontiguousarray/,
  );
  await t.rejects(
    refused("short", { images: images.subarray(0, 400), labels }),
    /400 bytes, expected 488 by its header/,
  );
  const huge = npy("|u1", [100000, 1000, 1000, 3], new Uint8Array(9));
  await t.rejects(refused("lie", { images: huge, labels }), /bytes, expected 300000000128 by its header/);
});

t.test("floats of any shape are values, in float32", async (t) => {
  const numbers = Float64Array.from({ length: 6 * 10 }, (_, index) => index / 3);
  const values = npy("<f8", [6, 5, 2], new Uint8Array(numbers.buffer));
  const path = archive("values", { x: values, y: npyLabels(6) });
  const { imageShape, values: areValues, normalization, train } = await loadNpz({ train: path, test: path }, "classes");
  t.strictSame([imageShape, areValues, normalization], [[5, 2], true, null]);
  t.strictSame(valuesOf(train.images), Float32Array.from(numbers));

  const load = (name: string, shape: readonly number[], content: readonly number[]) => {
    const array = npy("<f4", shape, new Uint8Array(Float32Array.from(content).buffer));
    const own = archive(name, { x: array, y: npyLabels(shape[0]!) });
    return loadNpz({ train: own, test: own }, "classes");
  };
  await t.rejects(load("nan", [2, 2], [0, 1, Number.NaN, 3]), /nan\.npz: x: sample 1 holds NaN, expected finite/);
  await t.rejects(load("infinite", [2, 2], [0, 1, 2, Infinity]), /sample 1 holds Infinity, expected finite/);
  const huge = npy("<f8", [2, 1], new Uint8Array(Float64Array.of(1, 1e300).buffer));
  const own = archive("huge", { x: huge, y: npyLabels(2) });
  await t.rejects(loadNpz({ train: own, test: own }, "classes"), /sample 1 holds 1e\+300, expected finite numbers of/);
  await t.rejects(load("bare", [3], [0, 1, 2]), /shape \(3,\), expected \(samples, …\)/);
});

t.test("labels are classes, one per image", async (t) => {
  const images = npyImages([6, 4, 5, 3]);
  const bytes = (...values: number[]) => npy("|i1", [6], new Uint8Array(Int8Array.from(values).buffer));
  await t.rejects(refused("count", { images, labels: npyLabels(5) }), /labels has 5 labels, .*images has 6 images/);
  await t.rejects(
    refused("negative", { images, labels: bytes(0, 1, -1, 0, 0, 0) }),
    /label -1 of image 2, expected 0 to/,
  );
  const large = npy("<i8", [6], new Uint8Array(BigInt64Array.from({ length: 6 }, () => 2n ** 40n).buffer));
  await t.rejects(refused("large", { images, labels: large }), /label 1099511627776 of image 0, expected 0 to 65535/);
  const floats = npy("<f8", [6], new Uint8Array(48));
  await t.rejects(
    refused("float-labels", { images, labels: floats }),
    /labels: elements of type "<f8", expected integers/,
  );
  const oneHot = npy("|u1", [6, 3], new Uint8Array(18));
  await t.rejects(refused("one-hot", { images, labels: oneHot }), /shape \(6, 3\), expected one label per image/);
  await t.rejects(
    refused("fewer", { images, labels: bytes(0, 1, 0, 1, 0, 1) }),
    /good\.npz: label 2 of image 2, but the classes go from 0 to 1/,
  );
  await t.rejects(loadNpz({ train: good, test: good, classes: ["a", "b"] }, "classes"), UsageError);
  const other = archive("other", { images: npyImages([6, 4, 4, 3]), labels: npyLabels(6) });
  await t.rejects(loadNpz({ train: other, test: good }, "classes"), /images of 4 x 5 x 3, .*other\.npz of 4 x 4 x 3/);
});

const doubles = (shape: readonly number[], ...values: number[]) =>
  npy("<f8", shape, new Uint8Array(Float64Array.from(values).buffer));

t.test("floats are values to learn, one or more per image", async (t) => {
  const images = npyImages([2, 4, 5, 3]);
  const load = (name: string, labels: Buffer, tested = labels, classes?: string[]) =>
    loadNpz(
      {
        train: archive(name, { images, labels }),
        test: archive(`${name}-test`, { images, labels: tested }),
        ...(classes && { classes }),
      },
      "values",
    );
  const one = await load("one", doubles([2], 0.5, -2));
  t.same(
    [one.targets, one.train.targets.kind, [...one.test.targets.values]],
    [{ kind: "values", outputs: 1 }, "values", [0.5, -2]],
  );
  const two = await load("two", doubles([2, 2], 1, 2, 3, 4));
  t.same([two.targets, [...two.train.targets.values]], [{ kind: "values", outputs: 2 }, [1, 2, 3, 4]]);

  await t.rejects(
    load("classes", npyLabels(2)),
    /labels: elements of type .*, expected float32 or float64, the values; save it .*task\.name classification/,
  );
  await t.rejects(
    refused("values", { images: npyImages([6, 4, 5, 3]), labels: doubles([6], 0, 1, 2, 0, 1, 2) }),
    /labels: elements of type "<f8", expected integers, the classes; save it .*task\.name regression/,
  );
  await t.rejects(load("nan", doubles([2, 2], 1, 2, 3, Number.NaN)), /labels: NaN of image 1, expected finite/);
  await t.rejects(load("huge", doubles([2], 1e300, 2)), /labels: 1e\+300 of image 0, expected finite float32/);
  await t.rejects(load("cube", doubles([2, 1, 2], 1, 2, 3, 4)), /shape \(2, 1, 2\), expected values of each image/);
  await t.rejects(load("uneven", doubles([2], 1, 2), doubles([2, 2], 1, 2, 3, 4)), /has 2 values for each image, .* 1/);
  await t.rejects(load("named", doubles([2], 1, 2), doubles([2], 1, 2), ["a", "b"]), /data\.classes: expected nothing/);
});

const python = spawnSync("python3", ["-c", "import numpy"]);

t.test(
  "files that NumPy writes",
  { skip: python.status === 0 ? false : "there is no Python with NumPy" },
  async (t) => {
    const script =
      "import numpy as n; x = n.arange(6*4*5*3).reshape(6,4,5,3).astype('uint8'); y = n.arange(6) % 3; " +
      "n.savez('plain.npz', images=x, labels=y); n.savez_compressed('packed.npz', images=x, labels=y.astype('>u2'))";
    spawnSync("python3", ["-c", script], { cwd: root });
    t.ok(existsSync(join(root, "packed.npz")));
    const { train, test } = await loadNpz(
      { train: join(root, "plain.npz"), test: join(root, "packed.npz") },
      "classes",
    );
    t.same([...train.targets.values], [0, 1, 2, 0, 1, 2]);
    t.same(test, train);
    t.equal(train.images[300], 300 % 256);
  },
);

t.test("headers are judged against the memory that is free before anything is unpacked", async (t) => {
  const bomb = archive("bomb", {
    images: npy("|u1", [2048, 64, 64, 3], new Uint8Array(2048 * 64 * 64 * 3)),
    labels: npyLabels(2048),
  });
  const whole = { train: bomb, test: bomb };
  await t.rejects(
    loadNpz(whole, "classes", { free: 2 ** 25 }),
    /cannot read .*bomb\.npz: the arrays take 0\.\d GiB, and 0\.0 GiB of memory are free: save fewer images/,
  );
  t.equal((await loadNpz(whole, "classes")).train.count, 2048);
});
