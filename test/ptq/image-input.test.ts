import fc from "fast-check";
import t from "tap";
import type { RuntimeValue } from "../../src/onnx/file-session.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { folderData } from "../../src/ptq/folder-data.ts";
import { imageInput } from "../../src/ptq/image-input.ts";
import { encodePlain } from "../fixtures/onnx/plain-model.ts";

const normalization = { mean: [0.5, 0.25, 0.125], deviation: [0.5, 0.25, 2] };
const input = (type: RuntimeValue["type"], shape: RuntimeValue["shape"]): RuntimeValue => ({ name: "x", type, shape });
type Given = Parameters<typeof imageInput>[2]["given"];
const found = (one: RuntimeValue, imageShape: readonly [number, number, number], given: Given = {}) =>
  imageInput([one], { imageShape, normalization }, { given, data: { normalization }, source: "it" });

const images = fc
  .record({
    count: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 4, max: 6 }),
    width: fc.integer({ min: 4, max: 6 }),
  })
  .chain((sizes) => {
    const length = sizes.count * sizes.height * sizes.width * 3;
    return fc.record({ sizes: fc.constant(sizes), pixels: fc.uint8Array({ minLength: length, maxLength: length }) });
  });

t.test("every pixel stands where the layout has it, as what the range says", (t) => {
  fc.assert(
    fc.property(images, fc.constantFrom("nchw", "nhwc"), fc.constantFrom("unit", "bytes"), (drawn, layout, range) => {
      const { count, height, width } = drawn.sizes;
      const dims = layout === "nchw" ? [3, height, width] : [height, width, 3];
      const { settings, arrays } = found(input("float32", ["n", ...dims]), [height, width, 3], { range });
      t.strictSame(settings, { layout, range });
      const array = arrays({ count, images: drawn.pixels }).get("x")!;
      t.strictSame(array.shape, [count, ...dims]);
      const values = array.convert!(drawn.pixels);
      drawn.pixels.forEach((pixel, at) => {
        const [channel, column] = [at % 3, Math.floor(at / 3) % width];
        const [row, image] = [Math.floor(at / 3 / width) % height, Math.floor(at / 3 / width / height)];
        const place =
          layout === "nchw"
            ? ((image * 3 + channel) * height + row) * width + column
            : ((image * height + row) * width + column) * 3 + channel;
        const { mean, deviation } = normalization;
        const expected = range === "bytes" ? pixel : (pixel / 255 - mean[channel]!) / deviation[channel]!;
        if (Math.abs(Number(values[place]) - expected) > 1e-5) throw new Error(`${at}: ${values[place]}, ${expected}`);
      });
    }),
    { numRuns: 30 },
  );
  t.end();
});

t.test("what the file leaves open is told", (t) => {
  const open = found(input("float32", ["n", "c", "h", "w"]), [6, 8, 3]);
  t.strictSame(open.settings, { layout: "nchw", range: "unit" });
  t.match(open.notes, [/leaves sizes open: it gets images of \[3,6,8\]/, /channels are given before height and width/]);
  const said = found(input("float32", ["n", "c", "h", "w"]), [6, 8, 3], { layout: "nhwc" });
  t.strictSame(said.arrays({ count: 1, images: new Uint8Array(144) }).get("x")!.shape, [1, 6, 8, 3]);
  t.equal(said.notes.length, 1);
  t.strictSame(found(input("float32", ["n", 3, 6, 8]), [6, 8, 3]).notes, []);
  t.strictSame(
    found(input("uint8", [3, 6, 8]), [6, 8, 3]).settings,
    { layout: "nchw", range: "bytes" },
    "without a batch",
  );
  const usual = imageInput(
    [input("float32", ["n", 3, 6, 8])],
    { imageShape: [6, 8, 3], normalization },
    { given: {}, data: {}, source: "it" },
  );
  t.match(usual.notes, [/less 0\.5, 0\.25, 0\.125, over 0\.5, 0\.25, 2, as is usual for these images/]);
  t.end();
});

t.test("inputs that take no images", (t) => {
  const ids = input("int64", ["n", "words"]);
  t.throws(() => found(ids, [6, 8, 3]), {
    message: /it: the input "x" \(int64 \[n,words\]\) got images: expected an input of/,
  });
  t.throws(() => found(input("uint8", ["n", 3, 6, 8]), [6, 8, 3], { range: "unit" }), {
    message: /the input "x" \(uint8 .*\) got pixels from 0 to 1: expected input\.range: bytes/,
  });
  t.throws(
    () => imageInput([ids, ids], { imageShape: [6, 8, 3], normalization }, { given: {}, data: {}, source: "it" }),
    {
      message: /images are for one input, and the file has x, x: give a \.npz/,
    },
  );
  t.end();
});

t.test("a folder's images get what an input says of theirs", (t) => {
  const model = (...shapes: (readonly (number | string)[])[]) =>
    readModel(
      encodePlain({
        opset: 13,
        nodes: [{ opType: "Identity", input: ["x0"], output: ["y"] }],
        inputs: shapes.map((shape, index) => ({ name: `x${index}`, shape })),
        outputs: [{ name: "y" }],
      }),
      "it.onnx",
    );
  const of = (shape: readonly (number | string)[]) => {
    const { size, channels } = folderData(model(shape), "images");
    return [size, channels];
  };
  t.strictSame(of(["n", 3, 32, 48]), [[32, 48], 3]);
  t.strictSame(of([1, 32, 48, 3]), [[32, 48], 3]);
  t.strictSame(of(["n", 1, 28, 28]), [[28, 28], 1]);
  t.strictSame(of([3, 32, 48]), [[32, 48], 3], "without a batch");
  t.strictSame(of(["n", 28, 28]), [[28, 28], 1]);
  t.strictSame(of(["n", 784]), [[28, 28], 1]);
  t.strictSame(of(["n", 3, "h", "w"]), [undefined, 3], "the folder's own");
  t.strictSame(of(["n", "h", "w", 3]), [undefined, 3]);
  t.throws(() => of(["n", 12, 9, 9]), {
    message: /--data images: images are for one input that is an image, and the file/,
  });
  t.throws(() => folderData(model(["n", 3, 9, 9], [2]), "images"), {
    message: /the file has "x0" \[n,3,9,9\], "x1" \[2\]/,
  });
  t.end();
});
