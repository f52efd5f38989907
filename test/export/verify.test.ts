import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { InferenceSession } from "onnxruntime-node";
import t from "tap";
import { onnxForms } from "../../src/config/sections/export-settings.ts";
import { ort } from "../../src/core/onnx-runtime.ts";
import { silent } from "../../src/core/progress.ts";
import { loadBinding } from "../../src/engine/native/binding.ts";
import { createNativeOps } from "../../src/engine/native/native-ops.ts";
import { locateEngine } from "../../src/engine/provision/locate.ts";
import { compareLayers } from "../../src/export/compare-layers.ts";
import { exportFile } from "../../src/export/export-file.ts";
import type { FrozenNetwork } from "../../src/export/frozen-network.ts";
import { expandQuant } from "../../src/export/onnx/expand-quant.ts";
import { lower } from "../../src/export/onnx/lower.ts";
import { lowerPacked } from "../../src/export/onnx/lower-packed.ts";
import { onnxFile } from "../../src/export/onnx/onnx-file.ts";
import { readModel } from "../../src/export/onnx/read-model.ts";
import { verify } from "../../src/export/verify.ts";
import { writeVerified } from "../../src/export/write-verified.ts";
import type { Metrics } from "../../src/tasks/metric.ts";
import {
  frozenNetwork,
  networkPlans,
  plainPlan,
  randomImages,
  withOneWeightChanged,
} from "../fixtures/frozen-networks.ts";
import { classifying } from "../fixtures/tasks.ts";

const agreementWith = ({ classes }: FrozenNetwork, trainer: Metrics | null = null) =>
  classifying(classes.length).agreement(trainer);

const location = locateEngine();
const skip = location.kind === "native" ? false : `these compare with the native engine: ${location.reason}`;

t.test("exported files in onnxruntime", { skip }, async (t) => {
  const ops = createNativeOps(
    loadBinding(location.kind === "native" ? location.binding : "", { threads: 2 }),
  ).atPrecision("float32");
  const folder = t.testdir();
  const input = "uint8";
  const lowered = (network: FrozenNetwork) => lowerPacked(network, { metadata: {}, input });
  const write = (network: FrozenNetwork, name = "model.onnx") => {
    const file = join(folder, name);
    writeFileSync(file, lowered(network).bytes);
    return file;
  };
  const optionsOf = (file: string, network: FrozenNetwork, count = 100) =>
    ({
      file,
      network,
      lowered: lowered(network),
      input,
      test: randomImages(network, count),
      ops,
      agreement: agreementWith(network),
      reporter: silent,
    }) as const;
  const check = (file: string, network: FrozenNetwork) => verify(optionsOf(file, network));

  t.test("runtime and trainer agree code by code for every mix of bits, signs and shapes", async (t) => {
    const live = ops.liveTensors();
    for (const plan of fc.sample(networkPlans, { seed: 5, numRuns: 120 })) {
      const network = frozenNetwork(plan);
      try {
        const { layers } = await check(write(network), network);
        t.equal(layers.length, 4);
        for (const [index, { name, equalCodes, largestDifference }] of layers.entries()) {
          t.ok(largestDifference <= 1, `${name} is at most one code off`);
          if (plan.quantizers[index]?.bits !== 16) t.ok(equalCodes >= 99.99, `${name}: equal codes`);
        }
      } catch (error) {
        t.fail(`${error}`, { plan });
      }
    }
    t.equal(ops.liveTensors(), live, "no tensor is left");
  });

  t.test("steps of single channels and grids of 3 bits agree in every form", async (t) => {
    for (const plan of fc.sample(networkPlans, { seed: 6, numRuns: 12 })) {
      const network = frozenNetwork({ ...plan, weightBits: [3, 2, 4, 8], perChannel: true });
      for (const form of onnxForms) {
        const lowered = lower(network, form, { input, metadata: {} });
        const read = readModel(lowered.bytes, form);
        const model = form === "qonnx" ? expandQuant(read, form) : read;
        const test = randomImages(network, 4);
        await t.resolves(
          compareLayers({ file: form, runtime: onnxFile({ file: form, model }), lowered, input, test, ops }),
          `${form} ${JSON.stringify(plan)}`,
        );
      }
    }
  });

  for (const layer of ["conv1", "conv2", "fc1", "fc2"]) {
    t.test(`one other weight in ${layer} is found and named`, async (t) => {
      // Fine signed grids: on coarse ones many a single weight changes no code at all.
      const fine = { bits: 8, signed: true, relu: false } as const;
      const network = frozenNetwork({ ...plainPlan, quantizers: [fine, fine, fine] });
      const file = write(withOneWeightChanged(network, layer));
      const tensor = new RegExp(`first at tensor ${layer}\\.weight`);
      await t.rejects(check(file, network), { name: "UserError", message: tensor });
      const runtime = onnxFile({ file, model: readModel(readFileSync(file), file) });
      const options = { ...optionsOf(file, network), runtime };
      const computed = new RegExp(`first at layer ${layer} `);
      await t.rejects(compareLayers(options), { name: "UserError", message: computed }, "by what it computes alone");
    });
  }

  t.test("a file that is wrong everywhere is refused after its first images", async (t) => {
    const network = frozenNetwork({ ...plainPlan, weightBits: [8, 8, 8, 8] });
    const other = lowered(frozenNetwork({ ...plainPlan, weightBits: [8, 8, 8, 8], seed: 2 }));
    const all = randomImages(network, 500);
    let batches = 0;
    const test: typeof all = {
      ...all,
      async *batches(options) {
        for await (const batch of all.batches(options)) {
          batches++;
          yield batch;
        }
      },
    };
    const runtime = onnxFile({ file: "wrong.onnx", model: readModel(other.bytes, "wrong.onnx") });
    const options = { ...optionsOf("wrong.onnx", network), test, runtime };
    await t.rejects(compareLayers(options), {
      name: "UserError",
      message:
        /first at layer conv1 \(value quantizer1\): \d+ of the first \d+ codes differ, 1000 of them by more than/,
    });
    t.ok(batches <= 2, `${batches} batches`);
  });

  t.test("a damaged or other file is refused with its name", async (t) => {
    const network = frozenNetwork(plainPlan);
    const file = write(network);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length - 40));
    await t.rejects(check(file, network), { name: "UserError", message: /model\.onnx: not an ONNX file, or damaged/ });
    writeFileSync(file, "");
    await t.rejects(check(file, network), { name: "UserError", message: /not an ONNX file/ });
    await t.rejects(check(join(folder, "missing.onnx"), network), {
      name: "UserError",
      message: /cannot read .*missing/,
    });
    const other = frozenNetwork({ ...plainPlan, image: [8, 8, 1] });
    await t.rejects(check(write(other), network), {
      name: "UserError",
      message: /first at tensor input\.scale, which is/,
    });
    const unquantized = {
      ...network,
      nodes: network.nodes.map((node) => ({
        ...node,
        id: `other.${node.id}`,
        inputs: node.inputs.map((id) => `other.${id}`),
      })),
      output: "other.fc2",
    };
    await t.rejects(check(write(unquantized), network), {
      name: "UserError",
      message: /first at tensor conv1\.weight\.codes, which it does not hold/,
    });
  });

  t.test("a trainer with another top-1 is a disagreement", async (t) => {
    const network = frozenNetwork(plainPlan);
    const options = optionsOf(write(network), network);
    const { metrics } = await verify(options);
    await t.resolves(verify({ ...options, agreement: agreementWith(network, metrics) }));
    const other = agreementWith(network, { top1: metrics.top1! + 2 });
    await t.rejects(verify({ ...options, agreement: other }), { message: /over 100 test images/ });
  });

  t.test("a verified export has its final name and tells of itself", async (t) => {
    const network = frozenNetwork(plainPlan);
    const folder = t.testdir();
    const file = join(folder, "model.onnx");
    const record = await exportFile({
      form: "packed",
      input: "uint8",
      network,
      file,
      metadata: {},
      test: randomImages(network, 250),
      ops,
      agreement: agreementWith(network),
      reporter: silent,
    });
    t.match(record, {
      form: "packed",
      file,
      opset: 25,
      verification: { images: 250, agreement: [{ key: "sameClass", value: 100 }] },
    });
    t.equal(record.bytes, readFileSync(file).length);
    t.same(readdirSync(folder), ["model.onnx"]);
  });

  t.test("the runtime takes the threads that it is given, everywhere", async (t) => {
    const network = frozenNetwork(plainPlan);
    const sessions = t.capture(ort.InferenceSession, "create", ort.InferenceSession.create);
    const { verification } = await exportFile({
      form: "packed",
      input: "uint8",
      network,
      unpruned: network,
      file: join(t.testdir(), "model.onnx"),
      metadata: {},
      test: randomImages(network, 20),
      ops,
      agreement: agreementWith(network),
      threads: 1,
      reporter: silent,
    });
    const settings = sessions().map(({ args }) => args.at(-1) as InferenceSession.SessionOptions);
    const threads = settings.map(({ intraOpNumThreads }) => intraOpNumThreads);
    t.strictSame(threads, [1, 1, 1, 1, 1], "layers, predictions, kernels, and latency of two files");
    const spinning = settings.map(({ extra }) => !JSON.stringify(extra ?? {}).includes('"allow_spinning":"0"'));
    t.strictSame(spinning, [false, false, true, true, true], "what is timed waits for work as it would for users");
    t.match(verification!.latency, [{ threads: 1 }, { threads: 1 }], "and the record says so");
  });

  t.test("a failed verification leaves nothing, not even an earlier export", async (t) => {
    const network = frozenNetwork(plainPlan);
    const folder = t.testdir({ "model.onnx": "an earlier export" });
    const file = join(folder, "model.onnx");
    const failed = exportFile({
      form: "packed",
      input: "uint8",
      network,
      file,
      metadata: {},
      test: randomImages(network, 50),
      ops,
      agreement: agreementWith(network, { top1: 100.5 }),
      reporter: silent,
    });
    await t.rejects(failed, { name: "UserError", message: /model\.onnx: onnxruntime .* disagrees/ });
    t.same(readdirSync(folder), []);
  });
});

t.test("a file has no final name while it is checked", async (t) => {
  const file = join(t.testdir(), "model.onnx");
  await writeVerified(file, Uint8Array.of(1, 2), async (written) => {
    t.not(written, file);
    t.same([...readFileSync(written)], [1, 2]);
    t.notOk(existsSync(file));
  });
  t.ok(existsSync(file));
});
