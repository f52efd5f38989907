import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseConfig } from "../../src/config/parse-config.ts";
import { silent } from "../../src/core/progress.ts";
import type { Ops, Variable } from "../../src/engine/ops.ts";
import { prepare } from "../../src/runner/prepare.ts";
import { Teaching } from "../../src/runner/teaching.ts";
import { writeBrightImages } from "../fixtures/bright-images.ts";
import { encodePlain, layer } from "../fixtures/onnx/plain-model.ts";
import { smallClassifier } from "../fixtures/onnx/small-classifier.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const root = t.testdir();
const data = writeSmallMnist(join(root, "data"), { train: 8, test: 4 });
const file = join(root, "small.onnx");
writeFileSync(file, smallClassifier(10));

const method = { name: "fixed", weights: 4, activations: 4 } as const;
const base = { name: "taught", network: { file }, method };

/** The same, but for the variables that are there between being made and disposed of, by name. */
function counting(ops: Ops): { readonly ops: Ops; readonly there: Map<Variable, string> } {
  const there = new Map<Variable, string>();
  const counted = Object.create(ops, {
    variable: {
      value(...given: Parameters<Ops["variable"]>) {
        const variable = ops.variable(...given);
        there.set(variable, given[0]);
        return variable;
      },
    },
    dispose: {
      value(variable: Variable) {
        there.delete(variable);
        ops.dispose(variable);
      },
    },
  });
  return { ops: counted, there };
}

t.test("a teacher's variables are its own, and go with it", async (t) => {
  const config = parseConfig({
    ...base,
    data: { name: "mnist", folder: data },
    training: { epochs: 1, loss: "distill" },
  });
  await using run = await prepare(config, silent);
  for (const teacher of [undefined, file]) {
    const { ops, there } = counting(run.model.ops);
    const distillation = { name: "distill", temperature: 1, weight: 1, ...(teacher && { teacher }) } as const;
    const taught = { ...run, model: { ...run.model, ops }, threads: 1, outputsKey: {} };
    const teaching = await Teaching.open(distillation, taught);
    const names = [...there.values()];
    t.equal(names.length, run.model.parameters.size, `${teacher}`);
    t.equal(
      names.every((name) => name.startsWith("teacher/")),
      teacher === undefined,
      names.join(", "),
    );
    await teaching[Symbol.asyncDispose]();
    t.strictSame([...there.values()], []);
  }
});

/** A file for images of 16 x 16 pixels that gives two values, behind these operators. */
function valueFile(name: string, operators: readonly string[]): string {
  const path = join(root, name);
  const weights = Array.from({ length: 512 }, (_, index) => Math.sin(index) / 16);
  const nodes = operators.map((operator, index) => layer(operator, [index === 0 ? "m" : `${index - 1}`], `${index}`));
  const model = {
    opset: 17,
    inputs: [{ name: "images", shape: ["b", 1, 16, 16] }],
    outputs: [{ name: `${operators.length - 1}`, shape: ["b", 2] }],
    tensors: [{ name: "w", dims: [256, 2], dataType: 1, floatData: weights }],
    nodes: [layer("Flatten", ["images"], "f"), layer("MatMul", ["f", "w"], "m"), ...nodes],
  };
  writeFileSync(path, encodePlain(model));
  return path;
}

t.test("probabilities are no values to learn", async (t) => {
  const path = join(root, "bright.npz");
  writeBrightImages(path, { train: 8, test: 4 });
  const opened = async (operators: readonly string[]) => {
    const teacher = valueFile(`${operators.join("-")}.onnx`, operators);
    await using _ = await prepare(
      parseConfig({
        ...{ ...base, network: { name: "lenet5" }, task: { name: "regression" } },
        data: { name: "npz", train: path, test: path },
        training: { epochs: 1, loss: { name: "distill", teacher } },
      }),
      silent,
    );
  };
  // Softsign is not imported: onnxruntime runs it.
  for (const operators of [
    ["Relu", "Softmax"],
    ["Softsign", "Softmax"],
    ["Softsign", "Softmax", "Identity"],
    ["Softsign", "LogSoftmax"],
  ]) {
    await t.rejects(opened(operators), {
      name: "UserError",
      message: /training\.loss\.teacher .* ends in a softmax, .*: take the softmax off, or another teacher/,
    });
  }
  await t.resolves(opened(["Softmax", "Softsign"]));
});
