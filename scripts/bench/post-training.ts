import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadConfig } from "../../src/config/load-config.ts";
import { silent } from "../../src/core/progress.ts";
import { LayerwiseRun } from "../../src/runner/layerwise.ts";
import { prepare } from "../../src/runner/prepare.ts";

// npm run bench:post-training [-- --iterations N]: how long AdaRound and Bit-Split take for ResNet-20 at 4 bits with 512
// images, and their peak memory. Targets on two cores: AdaRound with 10,000 iterations 20 minutes, Bit-Split 3, 4 GiB. Without
// reports/cifar10-resnet20-fp32 the weights are those before training, which takes as long.
const { values } = parseArgs({
  options: {
    method: { type: "string", default: "adaround,bit-split" },
    iterations: { type: "string", default: "10000" },
    json: { type: "boolean", default: false },
  },
});

for (const method of values.method.split(",")) {
  const set = method === "adaround" ? [`method.iterations=${values.iterations}`] : [];
  const { config } = loadConfig(`configs/cifar10-resnet20-${method}.yaml`, { set });
  const { from, ...training } = config.training;
  const isTrained = from !== undefined && existsSync(from);
  const prepared = await prepare({ ...config, training: isTrained ? config.training : training }, silent);
  const { layerwise } = prepared.method;
  if (!layerwise) throw new Error(`${method} does not quantize layer by layer`);
  const layers = new LayerwiseRun(prepared, layerwise);
  layers.begin();
  let longest = { name: "", seconds: 0 };
  const started = performance.now();
  await layers.quantize(layers.firstRecord({}), {
    warn: (message) => console.error(message),
    pause: async () => {},
    hear: async () => {},
    layer({ layers: done }, seconds) {
      if (seconds > longest.seconds) longest = { name: done.at(-1)!.name, seconds };
    },
  });
  const seconds = (performance.now() - started) / 1000;
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  const { iterations } = config.method as { readonly iterations?: number };
  if (values.json) console.log(JSON.stringify({ method, iterations, isTrained, seconds, longest, peakMiB }));
  else {
    const steps = iterations === undefined ? "" : `, ${iterations} iterations for each layer`;
    console.log(
      `${method}${steps}: ${seconds.toFixed(1)} s, longest layer ${longest.name} ${longest.seconds.toFixed(1)} s, peak ${peakMiB.toFixed(0)} MiB so far`,
    );
  }
  await prepared.dataset.close();
}
