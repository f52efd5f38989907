import { z } from "zod";
import type { Ops } from "../../src/engine/ops.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { createTask } from "../../src/tasks/create-task.ts";
import type { Gradients } from "../../src/training/gradients.ts";
import { createModel, type Model } from "../../src/training/model.ts";
import { drawGates } from "../../src/training/pass.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { numbers, type Outcome, relativeError, Tally } from "./compare.ts";

const tensors = z.record(z.string(), numbers);
const file = z.object({
  runs: z.array(
    z.object({
      mu: z.number(),
      learning_rate: z.number(),
      input: z.object({ shape: numbers, data: numbers }),
      labels: numbers,
      parameter_shapes: tensors,
      steps: z.array(
        z.object({
          noise: z.array(z.object({ quantizer: z.string(), u: z.array(numbers) })),
          parameters: tensors,
          ce: z.number(),
          complexity: z.number(),
          loss: z.number(),
          gradients: tensors,
        }),
      ),
      final_parameters: tensors,
    }),
  ),
});
type Run = z.infer<typeof file>["runs"][number];

const layers = { "features.0": "conv1", "features.2": "conv2", "classifier.0": "fc1", "classifier.1": "fc2" } as const;
const levels = ["gamma_4", "gamma_8", "gamma_16", "gamma_32"];

/** Our quantizer's id for a name of the file, as `features.0.weight_quantizer`. */
function quantizerId(name: string): string {
  const [, layer, role] = /^(.*)\.(weight|activation)_quantizer$/.exec(name)!;
  const ours = layers[layer as keyof typeof layers];
  return role === "weight" ? `${ours}.weight.quantizer` : `${ours}.quantizer`;
}

/**
 * For each element of our weight, its index in the file's: (out, in, kernel height, kernel width) to the channels-last
 * order; the first dense layer's inputs are flattened channels first there, channels last here.
 */
function order(name: string, shape: readonly number[], image: readonly [number, number, number]): Int32Array {
  if (shape.length === 4) {
    const [outputs, inputs, height, width] = shape as [number, number, number, number];
    return Int32Array.from({ length: outputs * inputs * height * width }, (_, index) => {
      const output = index % outputs;
      const input = Math.floor(index / outputs) % inputs;
      const column = Math.floor(index / outputs / inputs) % width;
      const row = Math.floor(index / outputs / inputs / width);
      return ((output * inputs + input) * height + row) * width + column;
    });
  }
  if (shape.length === 1) return Int32Array.from({ length: shape[0]! }, (_, index) => index);
  const [outputs, inputs] = shape as [number, number];
  const [height, width, channels] = image;
  return Int32Array.from({ length: outputs * inputs }, (_, index) => {
    const output = index % outputs;
    const input = Math.floor(index / outputs);
    const [channel, position] = [input % channels, Math.floor(input / channels)];
    return output * inputs + (name === "classifier.0.weight" ? channel * height * width + position : input);
  });
}

const l2 = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
const gradientError = (actual: ArrayLike<number>, expected: ArrayLike<number>) =>
  l2(Array.from(expected, (value, index) => value - actual[index]!)) / Math.max(l2(expected), 1e-30);

/** Loads the file's parameters into the model. */
function load(model: Model, run: Run, parameters: Run["final_parameters"]): void {
  for (const [name, values] of Object.entries(parameters)) {
    const [, owner, , field] = /^(.*?)(\.quantizer)?\.([^.]+)$/.exec(name)!;
    if (field === "weight" || field === "bias") {
      const id = `${layers[owner as keyof typeof layers]}.${field}`;
      const from = order(name, run.parameter_shapes[name]!, [4, 4, 6]);
      model.ops.assign(
        model.parameters.get(id)!,
        Float32Array.from(from, (index) => values[index]!),
      );
      continue;
    }
    const quantizer = model.quantizers.get(quantizerId(owner!))!;
    if (field === "x_max") quantizer.range.set(values);
    if (field === "gamma_2") quantizer.prune!.set(values);
    else if (levels.includes(field!)) quantizer.phi[levels.indexOf(field!)] = values[0]!;
  }
}

function compareGradients(
  run: Run,
  expected: Run["final_parameters"],
  actual: Gradients,
  ops: Ops,
  check: (error: number, bound: number) => void,
): void {
  const largestRange = Object.entries(expected)
    .filter(([name]) => name.endsWith(".x_max"))
    .reduce((largest, [, [value]]) => Math.max(largest, Math.abs(value!)), 0);
  for (const [name, values] of Object.entries(expected)) {
    const [, owner, , field] = /^(.*?)(\.quantizer)?\.([^.]+)$/.exec(name)!;
    if (field === "weight" || field === "bias") {
      const gradient = ops.read(actual.parameters.get(`${layers[owner as keyof typeof layers]}.${field}`)!);
      const from = order(name, run.parameter_shapes[name]!, [4, 4, 6]);
      check(
        gradientError(
          gradient,
          Array.from(from, (index) => values[index]!),
        ),
        1e-3,
      );
      continue;
    }
    const learned = actual.quantizers.get(quantizerId(owner!))!;
    const by = (name: string) => learned.find(({ numbers }) => numbers.name === name)!.gradient;
    if (field === "x_max") check(Math.abs(by("range")[0]! - values[0]!) / largestRange, 1e-3);
    else if (field === "gamma_2") check(gradientError(by("prune"), values), 1e-3);
    else if (levels.includes(field!)) check(gradientError([by("phi")[levels.indexOf(field!)]!], values), 1e-3);
  }
}

/** trajectory.json: five real training steps from the file's parameters with the file's noise; every step is a case. */
export function checkTrajectory(content: unknown, ops: Ops): Outcome {
  const tally = new Tally();
  for (const run of file.parse(content).runs) {
    const network = insertQuantizers(lenet5({ inputShape: [28, 28, 1], classes: 10, widths: [4, 6, 12] }));
    const initial = { prune: 0, bits4: 0, bits8: 0, bits16: 0, bits32: 0 };
    const model = createModel(network, {
      ops,
      seed: 0,
      quantizers: createQuantizers(network, { pruning: true, initial, prior: "bop" }),
    });
    const adam = { optimizer: "adam", weightDecay: 0 } as const;
    const trainer = new Trainer(model, { weights: adam, gates: adam, ranges: adam });
    const learningRates = { weights: run.learning_rate, gates: run.learning_rate, ranges: run.learning_rate };
    const names = Array.from({ length: 10 }, (_, digit) => String(digit));
    const task = createTask(undefined, { kind: "classes", names });
    const [batch] = run.input.shape as [number];
    for (const step of run.steps) {
      load(model, run, step.parameters);
      const noise = new Map(step.noise.map(({ quantizer, u }) => [quantizerId(quantizer), u.values()] as const));
      const samples = drawGates(model, (id) => noise.get(id)!.next().value!);
      tally.case((check) => {
        trainer.train(
          () => ({
            images: ops.tensor(Float32Array.from(run.input.data), [batch, 28, 28, 1]),
            targets: [ops.tensor(Int32Array.from(run.labels), [batch])],
          }),
          samples,
          { task, priorStrength: run.mu, learningRates },
          (gradients) => {
            check(relativeError(gradients.taskLoss, step.ce), 1e-5);
            check(relativeError(gradients.complexity, step.complexity), 1e-5);
            check(relativeError(gradients.loss, step.loss), 1e-5);
            compareGradients(run, step.gradients, gradients, ops, check);
            return true;
          },
        );
      });
    }
    tally.case((check) => {
      for (const [name, values] of Object.entries(run.final_parameters)) {
        if (!/\.(weight|bias)$/.test(name)) continue;
        const [, layer, field] = /^(.*)\.([^.]+)$/.exec(name)!;
        const variable = model.parameters.get(`${layers[layer as keyof typeof layers]}.${field}`)!;
        const from = order(name, run.parameter_shapes[name]!, [4, 4, 6]);
        const updated = ops.scope(
          () => ops.read(ops.value(variable)),
          () => [],
        );
        check(
          gradientError(
            updated,
            Array.from(from, (index) => values[index]!),
          ),
          1e-3,
        );
      }
    });
    for (const variable of model.parameters.values()) ops.dispose(variable);
    trainer.weights.dispose();
  }
  return tally;
}
