import t from "tap";
import { anyEngine } from "../../fixtures/engines.ts";
import { FileWriter } from "../../fixtures/onnx/file-writer.ts";
import { agreeingGraph } from "../../fixtures/onnx/graph-agreement.ts";

const { ops } = await anyEngine();
const [FLOAT, INT64, BOOL] = [1, 7, 9];
const LOWEST = -3.4028234663852886e38;

const matMul = (file: FileWriter, x: string, inputs = 5, outputs = inputs) =>
  file.op("MatMul", [x, file.floats([inputs, outputs])]);

/** One number where an input of integers is not 0, else another. */
function chosen(file: FileWriter, one: number, other: number, shape: readonly number[] = [5]): string {
  const truth = file.op("Cast", [file.input("mask", shape, INT64)], { to: BOOL });
  return file.op("Where", [truth, file.number(one), file.number(other)]);
}

function imported(build: (file: FileWriter) => string | readonly string[], limit = 2) {
  const file = new FileWriter(13);
  const outputs = [build(file)].flat();
  return agreeingGraph(ops, file.file(...outputs), file.inputs, { limits: { mask: limit } });
}

t.test("a mask before a softmax may be as low as it likes", async (t) => {
  for (const lowest of [-1e30, LOWEST, Number.NEGATIVE_INFINITY]) {
    const scores = (file: FileWriter) => matMul(file, file.input("x", [4, 5]));
    const masked = (file: FileWriter) => file.op("Add", [scores(file), chosen(file, 0, lowest, [1, 5])]);
    // Most are not hidden.
    await t.resolves(imported((file) => file.op("Softmax", [masked(file)]), 6));
    await t.resolves(imported((file) => file.op("Softmax", [file.op("Mul", [masked(file), file.number(0.125)])]), 6));
    await t.resolves(imported((file) => file.op("Softmax", [file.op("Div", [masked(file), file.number(8)])]), 6));
  }
  const product = imported((file) => {
    const inverse = file.op("Sub", [file.number(1), file.op("Cast", [file.input("mask", [5], INT64)], { to: FLOAT })]);
    const mask = file.op("Unsqueeze", [file.op("Mul", [inverse, file.number(LOWEST)]), file.integers([1])]);
    return file.op("Softmax", [file.op("Add", [matMul(file, file.input("x", [4, 5])), mask])]);
  });
  await t.resolves(product);
});

t.test("what no softmax takes is computed as it is, or refused", async (t) => {
  const sum = (constant: number) =>
    imported((file) => {
      const shifted = file.op("Add", [matMul(file, file.input("x", [5])), file.number(constant)]);
      return [file.op("Mul", [shifted, file.number(1 / constant)]), file.op("Softmax", [shifted])];
    });
  await t.resolves(sum(-3e12));
  await t.resolves(imported((file) => file.op("Add", [matMul(file, file.input("x", [5])), chosen(file, 1.5, -1e12)])));
  await t.rejects(
    imported((file) => file.op("Add", [matMul(file, file.input("x", [5])), chosen(file, 1.5, -1e30)])),
    { message: /Where ".*": .* holds -1\.0*.*e\+?30 .*, expected numbers of at most/ },
  );
});

t.test("both numbers that a truth chooses from stay what they are", async (t) => {
  for (const [one, other] of [
    [1.5, -2e7],
    [-2e7, 1.5],
    [0.25, 1.5],
  ] as const)
    await t.resolves(
      imported((file) => file.op("Mul", [matMul(file, file.input("x", [5])), chosen(file, one, other)])),
    );
});

t.test("numbers that were chosen are no integers", async (t) => {
  await t.rejects(
    imported((file) => {
      const whole = file.op("Cast", [chosen(file, 1.5, 0.25)], { to: INT64 });
      return file.op("Mul", [matMul(file, file.input("x", [5])), file.op("Cast", [whole], { to: FLOAT })]);
    }),
    { message: /Cast ".*": it casts to int64/ },
  );
});

t.test("an integer is true unless it is 0", async (t) => {
  const truths = imported((file) => {
    const moved = file.op("Sub", [file.input("mask", [5], INT64), file.integers([3])]);
    const truth = file.op("Cast", [file.op("Cast", [file.op("Neg", [moved])], { to: BOOL })], { to: FLOAT });
    return [file.op("Mul", [matMul(file, file.input("x", [5])), truth])];
  }, 7);
  await t.rejects(truths, { message: /Sub ".*": its input 2 holds integers/ });
  await t.resolves(
    imported((file) => {
      const truth = file.op("Cast", [file.op("Neg", [file.input("mask", [5], INT64)])], { to: BOOL });
      return file.op("Mul", [matMul(file, file.input("x", [5])), file.op("Cast", [truth], { to: FLOAT })]);
    }, 4),
  );
});

/** A softmax behind whose mask stands PyTorch's guard. */
function guarded(file: FileWriter, mask: string | null, filling = 0): string {
  const scores = matMul(file, file.input("x", [4, 5]));
  const shares = file.op("Softmax", [mask === null ? scores : file.op("Add", [scores, mask])], { axis: -1 });
  return file.op("Where", [file.op("IsNaN", [shares]), file.number(filling), shares]);
}

t.test("what a mask hides altogether gets no share, as the guard behind a softmax says", async (t) => {
  const kinds = async (build: (file: FileWriter) => string, limit = 2) => {
    const { network } = await imported((file) => matMul(file, build(file)), limit);
    return network.nodes.map(({ kind }) => kind).filter((kind) => kind === "max-pool").length;
  };
  const infinite = Number.NEGATIVE_INFINITY;
  t.equal(await kinds((file) => guarded(file, chosen(file, 0, infinite, [4, 1]))), 1, "some rows");
  t.equal(await kinds((file) => guarded(file, chosen(file, 0, infinite, [1, 5])), 1), 1, "all rows");
  t.equal(await kinds((file) => guarded(file, null, 7)), 0, "nothing is hidden: nothing is added");
  t.equal(
    await kinds((file) => guarded(file, chosen(file, 0, LOWEST, [1, 1]))),
    0,
    "shares of what is finite are numbers",
  );
  await t.rejects(
    kinds((file) => guarded(file, chosen(file, 0, infinite, [4, 1]), 7)),
    {
      message: /it puts other numbers than 0 where a mask hides all that a softmax takes/,
    },
  );
});
