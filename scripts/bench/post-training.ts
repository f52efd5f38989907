import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadConfig } from "../../src/config/load-config.ts";
import { configSchema } from "../../src/config/schema.ts";
import { last } from "../../src/core/elements.ts";
import { silent } from "../../src/core/progress.ts";
import { LayerwiseRun } from "../../src/runner/layerwise.ts";
import { type Prepared, prepare } from "../../src/runner/prepare.ts";
import { startFrom } from "../../src/runner/start-from.ts";
import { readCalibrationImages } from "../../src/training/layerwise/calibration-images.ts";
import { clusterLayers } from "../../src/training/layerwise/cluster-layers.ts";

// npm run bench:post-training [-- --iterations N]: how long AdaRound and Bit-Split take for ResNet-20 at 4 bits with 512
// images, and product quantization for its codebooks, and their peak memory. Targets on two cores: AdaRound with 10,000
// iterations 20 minutes, Bit-Split 3, clustering one, 4 GiB. Without reports/cifar10-resnet20-fp32 the weights are those before
// training, which takes as long.
const { values } = parseArgs({
  options: {
    method: { type: "string", default: "adaround,bit-split,product-quantization" },
    iterations: { type: "string", default: "10000" },
    json: { type: "boolean", default: false },
  },
});

interface Longest {
  name: string;
  seconds: number;
}

/** Does the work layer by layer; the longest of them. */
async function work(prepared: Prepared): Promise<Longest> {
  const { config, model, dataset } = prepared;
  const { layerwise, clustering } = prepared.method;
  let longest: Longest = { name: "", seconds: 0 };
  const took = (name: string, seconds: number) => {
    if (seconds > longest.seconds) longest = { name, seconds };
  };
  const waiting = { pause: async () => {}, hear: async () => {} };
  if (clustering) {
    if (config.training.from !== undefined) startFrom(model, config.training.from);
    const { images = 0 } = clustering.calibration ?? {};
    await clusterLayers(model, {
      ...{ clustering, ...waiting, seed: config.seed, done: new Set<string>() },
      images: await readCalibrationImages(dataset, {
        images,
        seed: config.seed,
      }),
      finetune: async () => null,
      layer: ({ name, seconds }) => took(name, seconds),
    });
    return longest;
  }
  if (!layerwise) throw new Error(`${config.method.name} does not quantize layer by layer`);
  const layers = new LayerwiseRun(prepared, layerwise);
  layers.begin();
  await layers.quantize(layers.firstRecord({}), {
    ...waiting,
    warn: (message) => console.error(message),
    layer: ({ layers: done }, seconds) => took(last(done).name, seconds),
  });
  return longest;
}

for (const method of values.method.split(",")) {
  const set = method === "adaround" ? [`method.iterations=${values.iterations}`] : [];
  const settings = method === "product-quantization" ? "bit-split" : method;
  const { config: loaded } = loadConfig(`configs/cifar10-resnet20-${settings}.yaml`, { set });
  const config = settings === method ? loaded : configSchema.parse({ ...loaded, method: { name: method } });
  const { from, ...training } = config.training;
  const isTrained = from !== undefined && existsSync(join(from, "checkpoints"));
  const prepared = await prepare({ ...config, training: isTrained ? config.training : training }, silent);
  const started = performance.now();
  const before = process.cpuUsage();
  const longest = await work(prepared);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  const { iterations } = config.method as { readonly iterations?: number };
  if (values.json)
    console.log(JSON.stringify({ method, iterations, isTrained, seconds, cpuSeconds, longest, peakMiB }));
  else {
    const steps = iterations === undefined ? "" : `, ${iterations} iterations for each layer`;
    console.log(
      `${method}${steps}: ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} of all cores), longest layer ${longest.name} ${longest.seconds.toFixed(1)} s, peak ${peakMiB.toFixed(0)} MiB so far`,
    );
  }
  await prepared.dataset.close();
}
