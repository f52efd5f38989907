import t from "tap";
import { loadConfig } from "../../src/config/load-config.ts";
import { configSchema } from "../../src/config/schema.ts";
import type { Distillation } from "../../src/config/sections/loss-settings.ts";
import { estimateLayerwise } from "../../src/memory/layerwise-memory.ts";
import { memoryStages } from "../../src/memory/memory-stages.ts";
import { requireMemory } from "../../src/memory/require-memory.ts";
import { evaluationMemory, savingMemory, trainingMemory } from "../../src/memory/training-memory.ts";
import { createMethod } from "../../src/methods/create-method.ts";
import { plainOf } from "../../src/methods/method.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { recordingReporter } from "../fixtures/reporter.ts";

const plain = lenet5({ inputShape: [28, 28, 1], classes: 10 });
const network = insertQuantizers(plain);
const MIB = 2 ** 20;

t.test("training grows with its batch, evaluation with its own, saving with the parameters", async (t) => {
  // 582,026 parameters, their moments, as arrays and as a file: 4 bytes each, six times.
  t.equal(savingMemory(network), 24 * 582_026);
  const [small, large] = [trainingMemory(network, 100), trainingMemory(network, 200)];
  t.ok(large.atMost > large.likely);
  t.ok(large.likely > 1.5 * small.likely && large.likely < 2 * small.likely);
  const growth = evaluationMemory(network, 300) / evaluationMemory(network, 100);
  t.ok(growth > 2 && growth < 3);
});

t.test("a teacher that is the network in float32 is held, and saved", async (t) => {
  const { config } = loadConfig("configs/mnist-lenet5-quick.yaml", {});
  const images = { train: 100, evaluation: 100 };
  const layerwise = createMethod(
    configSchema.parse({ ...config, method: { name: "nearest" }, training: { from: "nowhere" } }).method,
    1,
  );
  for (const method of [{}, layerwise]) {
    const saving = (distillation: Distillation | null) =>
      memoryStages(config, { network, method, distillation, images }).find(({ what }) => what === "saving")!.atMost;
    const own = { name: "distill", temperature: 1, weight: 1 } as const;
    // The variables, their values as arrays and as the file.
    t.equal(saving(own) - saving(null), 12 * 582_026);
    t.equal(saving({ ...own, teacher: "nowhere.onnx" }), saving(null));
    t.equal(saving({ ...own, cache: true }) - saving(own), 4 * 200 * 10, "outputs that are kept");
  }
});

t.test("the estimate is near what was measured", async (t) => {
  // How much the resident memory of a process grew, at its peak, in MiB.
  const near = (estimate: number, measured: number) =>
    t.ok(Math.abs(estimate / MIB / measured - 1) < 0.1, `${estimate / MIB} of ${measured}`);
  near(trainingMemory(network, 2048).likely, 1010);
  near(trainingMemory(network, 2048).atMost, 2492);
  near(trainingMemory(network, 512).likely, 259);
  near(trainingMemory(network, 512).atMost, 647);
  near(evaluationMemory(network, 5000), 969);
});

t.test("what cannot fit is refused with the estimate and sizes that fit", async (t) => {
  const configured = (...set: string[]) => loadConfig("configs/mnist-lenet5-quick.yaml", { set }).config;
  const said = (available: number, ...set: string[]): string => {
    const { warnings, warn } = recordingReporter();
    try {
      requireMemory(
        configured(...set),
        { network, method: {}, images: { train: 1e6, evaluation: 1e6 } },
        { available, warn },
      );
      return warnings.join("\n");
    } catch (error) {
      t.match(error, { name: "UsageError", exitCode: 2 });
      return (error as Error).message;
    }
  };
  t.equal(said(16_000 * MIB), "");
  const large = ["data.batchSize=100000", "data.evaluationBatchSize=200000"];
  const message = said(4000 * MIB, ...large);
  const gib = String.raw`\d+\.\d\d GiB`;
  t.match(
    message,
    new RegExp(
      `does not fit into memory: it needs about ${gib} for training at data\\.batchSize 100000 \\(up to ${gib} while gates are undecided\\), ${gib} for saving, ${gib} for evaluation at data\\.evaluationBatchSize 200000;`,
    ),
  );
  t.match(
    message,
    /3\.91 GiB of memory are available: lower data\.batchSize to \d+ and data\.evaluationBatchSize to \d+, or free/,
  );
  const [batch, evaluation] = Array.from(message.matchAll(/Size to (\d+)/g), ([, size]) => Number(size)) as [
    number,
    number,
  ];
  t.equal(said(4000 * MIB, `data.batchSize=${batch}`, `data.evaluationBatchSize=${evaluation}`), "", "they do fit");
  t.match(said(4000 * MIB, `data.batchSize=${batch + 1}`), /may not fit.*: if it does not, lower data\.batchSize to/);
  t.match(said(MIB), /: free memory, raise the limit, or take a smaller network$/);
  // 13.3 MiB are for saving, which no setting makes smaller.
  t.match(said(13 * MIB), /: free memory, raise the limit, or take a smaller network$/);
});

t.test("a batch holds no more than there are images", async (t) => {
  const set = ["data.batchSize=100000", "data.evaluationBatchSize=100000"];
  const { config } = loadConfig("configs/mnist-lenet5-quick.yaml", { set });
  const judge = (images: { train: number; evaluation: number }, available: number) => () =>
    requireMemory(config, { network, method: {}, images }, { available, warn: (message) => t.fail(message) });
  t.doesNotThrow(judge({ train: 18, evaluation: 9 }, 500 * MIB));
  t.throws(judge({ train: 18, evaluation: 60_000 }, 500 * MIB), /for evaluation at data\.evaluationBatchSize 60000;/);
  t.throws(judge({ train: 60_000, evaluation: 9 }, 500 * MIB), /for training at data\.batchSize 60000 /);
});

/** A run that quantizes LeNet-5 layer by layer. */
function quantizing(method: object, data: object = {}) {
  const config = configSchema.parse({
    name: "test",
    data: { name: "mnist", ...data },
    network: { name: "lenet5" },
    method,
    training: { from: "nowhere" },
  });
  const images = { train: 60_000, evaluation: 100_000 };
  const created = createMethod(config.method, 1);
  return { config, run: { network: created.prepare(plainOf(created, plain)), method: created, images } };
}

t.test("quantizing layer by layer is judged by its rows, never by data.batchSize", async (t) => {
  const said = (available: number, method: object, data?: object): string => {
    const { config, run } = quantizing(method, data);
    try {
      requireMemory(config, run, { available, warn: (message) => t.fail(message) });
      return "";
    } catch (error) {
      t.match(error, { name: "UsageError", exitCode: 2 });
      return (error as Error).message;
    }
  };
  const nearest = (images: number) => ({ name: "nearest", calibration: { images } });
  t.equal(said(1000 * MIB, nearest(512), { batchSize: 1_000_000 }), "", "nothing trains");
  const message = said(2000 * MIB, nearest(60_000), { evaluationBatchSize: 100_000 });
  t.match(message, /about \d+\.\d\d GiB for quantizing conv2 at method\.calibration\.images 60000, \d/);
  t.match(message, /lower method\.calibration\.images to \d+ and data\.evaluationBatchSize to \d+, or free memory$/);
  t.notMatch(message, /data\.batchSize|training/);
  const [images, evaluationBatchSize] = Array.from(message.matchAll(/ to (\d+)/g), ([, size]) => Number(size));
  t.equal(said(2000 * MIB, nearest(images!), { evaluationBatchSize: evaluationBatchSize! }), "", "they do fit");
  t.match(said(2000 * MIB, nearest(images! + 1)), /lower method\.calibration\.images to/);
});

const bytes = (method: object) => {
  const { config, run } = quantizing(method);
  const { images } = (config.method as { calibration: { images: number } }).calibration;
  return estimateLayerwise(run.network, run.method.layerwise!, images);
};

t.test("Bit-Split needs its sums too, which no number of images makes smaller", async (t) => {
  const calibration = { images: 1 };
  const [nearest, bitSplit] = [bytes({ name: "nearest", calibration }), bytes({ name: "bit-split", calibration })];
  t.equal(bitSplit.layer, "fc1");
  // X^T X of 1024 inputs and X^T y of 512 outputs, in float64.
  t.ok(bitSplit.quantizing - nearest.quantizing >= 8 * 1024 * 1024);
  t.equal(bitSplit.saving, 16 * 582_026, "the network twice, as arrays and as the file");
});

t.test("flips after AdaRound need the sums, or a transposed copy of the rows with a channel's outputs", async (t) => {
  const more = (images: number) => {
    const at = (flips: boolean) => bytes({ name: "adaround", flips, calibration: { images } });
    t.equal(at(true).layer, images === 1 ? "fc1" : "conv2");
    return at(true).quantizing - at(false).quantizing;
  };
  // fc1: 1024 inputs, 512 outputs. conv2: patches of 5 x 5 x 32 at 32 places; wanted and given outputs in float64.
  t.equal(more(1), 8 * (1024 * 1024 + 512 * 1024));
  t.equal(more(512), 512 * 32 * (4 * 800 + 2 * 8));
});

t.test("quantizing layer by layer takes no more than the estimate, which is near what was measured", async (t) => {
  // How much the resident memory of a process grew, at its peak, in MiB.
  const above = (method: string, images: number, measured: number) => {
    const estimate = bytes({ name: method, calibration: { images } }).quantizing / MIB;
    t.ok(estimate > measured && estimate < 2 * measured, `${method}: ${estimate} of ${measured}`);
  };
  above("nearest", 128, 102);
  above("nearest", 512, 178);
  above("nearest", 1024, 312);
  above("adaround", 128, 174);
  above("adaround", 256, 166);
  above("adaround", 1024, 351);
  above("adaround", 2048, 612);
  above("bit-split", 128, 99);
  above("bit-split", 256, 130);
});

t.test("clustering a network's layers is judged by what they see of the calibration images", async (t) => {
  const judged = (calibration: object, settings: object = {}) => {
    const { config, run } = quantizing({ name: "product-quantization", calibration, ...settings });
    return memoryStages(config, run).find(({ what }) => what.startsWith("clustering"));
  };
  t.equal(judged({ images: 1000 }, { activations: false, biasCorrection: false }), undefined, "they see nothing");
  const [few, many] = [judged({ images: 100 })!, judged({ images: 10_000 })!];
  t.equal(many.what, "clustering conv2");
  // Patches of 5 × 5 of 32 channels at 10 places, three times.
  t.ok(many.atMost - few.atMost >= 3 * 9900 * 10 * 800 * 4);
  t.equal(many.setting?.atMostAt(100), few.atMost);
});
