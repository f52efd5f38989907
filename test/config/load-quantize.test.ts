import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { quantizeYaml } from "../../src/config/canonical.ts";
import { loadQuantize, loadQuantizeData, parseQuantize } from "../../src/config/load-quantize.ts";
import type { QuantizeSettings } from "../../src/config/quantize-schema.ts";

const folder = t.testdir();
const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const network = { file: "model.onnx" };
const samples = { samples: "samples.npz" };

t.test("what is left out follows from the rest", async (t) => {
  const resolved = (settings: Omit<QuantizeSettings, "network">) => {
    const { method, bits } = parseQuantize({ network, ...settings });
    return [method.name, bits.activations, method.iterations];
  };
  t.strictSame(resolved({}), ["nearest", 32, undefined]);
  t.strictSame(resolved({ bits: { weights: 4 } }), ["nearest", 32, undefined], "no data");
  t.strictSame(resolved({ data: samples }), ["nearest", 8, undefined]);
  t.strictSame(resolved({ data: samples, bits: { weights: 4 } }), ["bit-split", 8, undefined]);
  t.strictSame(resolved({ data: samples, bits: { budget: { averageBits: 8 } } }), ["bit-split", 8, undefined]);
  const bops = { budget: { relativeBops: 3 } } as const;
  t.strictSame(resolved({ data: samples, bits: bops }), ["bit-split", "budget", undefined]);
  t.strictSame(resolved({ data: samples, bits: { ...bops, activations: 8 } }), ["bit-split", 8, undefined]);
  const blocks = { method: { granularity: "block:32" }, bits: { weights: 4 } } as const;
  t.strictSame(resolved({ data: samples, ...blocks }), ["nearest", 8, undefined]);
  t.strictSame(resolved({ data: samples, method: { name: "adaround" } }), ["adaround", 8, 10000]);
});

t.test("what is written loads as the same", async (t) => {
  const all: readonly QuantizeSettings[] = [
    { network },
    { network, data: samples, bits: { weights: 2, layers: { "/head/*": 8 } }, skip: ["a: b"], seed: 7 },
    { network, data: { name: "cifar10" }, bits: { budget: { bytes: 300_000 } }, input: { layout: "nhwc" } },
    { network, data: samples, bits: { budget: { relativeBops: 2.5 } } },
    { network, data: { name: "folder", folder: "images", size: [20, 30] }, verify: { minSqnrDb: 20 } },
  ];
  for (const settings of all) {
    const config = { ...parseQuantize(settings), name: "it" };
    const path = written("quantize.yaml", quantizeYaml(config, "quantize.yaml"));
    t.strictSame(loadQuantize(path), config);
    t.match(readFileSync(path, "utf8"), /^# yaml-language-server: \$schema=.*configs\/quantize\.schema\.json\n/);
  }
});

t.test("a file extends another, and --set changes both; a budget takes the place of a width", async (t) => {
  written("base.yaml", "network: { file: a.onnx }\nbits: { weights: 4 }\ndata: { samples: a.npz }\n");
  const path = written("own.yaml", "extends: base.yaml\nnetwork: { file: b.onnx }\n");
  t.match(loadQuantize(path), {
    name: "own",
    network: { file: "b.onnx" },
    bits: { weights: 4 },
    data: { samples: "a.npz" },
  });
  const { bits } = loadQuantize(path, { set: ["bits.budget.relativeBytes=12.5"] });
  t.strictSame(bits, { budget: { relativeBytes: 12.5 }, granularity: "tensor", activations: 8, layers: {} });
  const bops = loadQuantize(path, { set: ["bits.budget.relativeBops=3"] });
  t.strictSame(bops.bits, {
    ...{ budget: { relativeBops: 3 }, granularity: "tensor", activations: "budget", layers: {} },
  });
});

const mistakes: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
  "a name that there is not": [
    "bits: { wieghts: 4 }",
    /bits\.wieghts: is not a setting; known here: .*weights.* \(.*wrong\.yaml:2\)/,
  ],
  "a width that there is not": ["bits: { weights: 5 }", /bits\.weights: expected 2 or 3 or 4 or 8, got 5 \(.*:2\)/],
  "a typing mistake in images": [
    "data: { name: folder, foldre: images }",
    /data\.foldre: is not a setting; known here: .*folder.* \(.*:2\)/,
  ],
  "samples that are no path": ["data: { samples: 5 }", /data\.samples: expected a string, got 5/],
  "a budget that is none": ["bits: { budget: { bytes: -1 } }", /bits\.budget\.bytes: expected more than 0, got -1/],
  "a budget of bit operations without data": [
    "bits: { budget: { relativeBops: 3 } }",
    /bits\.budget\.relativeBops: expected a budget of bytes or bits: how often .* is seen on samples: give some with --data, .*, got 3 \(.*:2\)/,
  ],
  "activations that no budget chooses": [
    "data: { samples: a.npz }\nbits: { budget: { relativeBytes: 25 }, activations: budget }",
    /bits\.activations: expected 8, 16 or 32: budget\.relativeBops alone chooses widths of activations, got "budget" \(.*:3\)/,
  ],
  "activations within no budget": [
    "data: { samples: a.npz }\nbits: { weights: 4, activations: budget }",
    /bits\.activations: expected 8, 16 or 32: budget\.relativeBops alone/,
  ],
  "two budgets": ["data: { samples: a.npz }\nbits: { budget: { relativeBops: 3, bytes: 5 } }", /bits\.budget.*: /],
  "a method that needs data": [
    "method: { name: adaround }",
    /method\.name: expected nearest: the method adaround needs samples: .*, got "adaround" \(.*:2\)/,
  ],
  "iterations of another method": [
    "method: { iterations: 5 }",
    /method\.iterations: expected nothing: iterations are optimizer steps of the method adaround, and nearest/,
  ],
  "activations without data": [
    "bits: { activations: 8 }",
    /bits\.activations: expected 32: activations are calibrated/,
  ],
  "thresholds without data": ["verify: { minSqnrDb: 5 }", /verify\.minSqnrDb: expected nothing: thresholds are held/],
  "an input of no images": ["input: { layout: nchw }", /input: expected nothing: it says how images go into the file/],
  "blocks that are solved": [
    "data: { samples: a.npz }\nmethod: { name: bit-split, granularity: 'block:32' }",
    /method\.granularity: expected tensor or channel: the method bit-split has a step for each output channel/,
  ],
  "widths by output channel without a step for each": [
    "method: { granularity: tensor }\nbits: { budget: { averageBits: 3 }, granularity: channel }",
    /method\.granularity: expected channel: bits\.granularity gives output channels bit-widths .* a step each, got "tensor"/,
  ],
  "a list of widths without a step for each": [
    "method: { granularity: 'block:32' }\nbits: { layers: { head: [2, 8] } }",
    /method\.granularity: expected channel: bits\.layers\.head gives output channels bit-widths of their own/,
  ],
  "a width of a channel that there is not": ["bits: { layers: { head: [2, 5] } }", /bits\.layers\.head.*5/s],
  "widths by output channel without a budget": ["bits: { weights: 4, granularity: channel }", /bits.*granularity/s],
  "a normalization of bytes": [
    "data: { name: mnist, normalization: { mean: [0.5], deviation: [0.5] } }\ninput: { range: bytes }",
    /input\.range: expected unit: data\.normalization is of pixels from 0 to 1/,
  ],
};
for (const [what, [text, message]] of Object.entries(mistakes)) {
  t.test(`${what} is refused with its place`, async (t) => {
    const path = written("wrong.yaml", `network: { file: a.onnx }\n${text}\n`);
    t.throws(() => loadQuantize(path), { name: "UsageError", message });
  });
}

t.test("widths by output channel are kept as they are written", (t) => {
  const read = (bits: string) => loadQuantize(written("w.yaml", `network: { file: a.onnx }\nbits: ${bits}\n`));
  const text = "{ budget: { averageBits: 3 }, granularity: { group: 8 }, layers: { head: [2, 8, 4] } }";
  t.match(read(text).bits, { granularity: { group: 8 }, layers: { head: [2, 8, 4] } });
  t.match(read("{ budget: { averageBits: 3 } }").bits, { granularity: "tensor" });
  t.end();
});

t.test("of a run's configuration the data alone is taken", async (t) => {
  t.match(loadQuantizeData("configs/mnist-lenet5-nearest.yaml"), { data: { name: "mnist" }, input: {} });
  const own = written("data.yaml", "data: { samples: a.npz }\ninput: { layout: nhwc }\n");
  t.match(loadQuantizeData(own), { data: { samples: "a.npz" }, input: { layout: "nhwc" } });
  t.throws(() => loadQuantizeData(written("none.yaml", "seed: 1\n")), { message: /data: expected .*, got nothing/ });
});

t.test("a run's configuration is told from one", (t) => {
  t.throws(() => loadQuantize("configs/mnist-lenet5-nearest.yaml"), {
    name: "UsageError",
    message: /describes a run, no file to quantize: start it with bayesian-bits train/,
  });
  t.end();
});

t.test("the document's configurations load", (t) => {
  const text = readFileSync("docs/quantize.md", "utf8");
  const examples = Array.from(text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm), ([, example = ""]) => example);
  t.equal(examples.length, 2);
  for (const example of examples) {
    const whole = example.includes("network:") ? example : `network: { file: model.onnx }\n${example}`;
    t.doesNotThrow(() => loadQuantize(written("example.yaml", whole)), example);
  }
  t.end();
});
