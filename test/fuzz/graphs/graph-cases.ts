import type { QuantizeSettings } from "../../../src/config/quantize-schema.ts";
import { FileSession } from "../../../src/onnx/file-session.ts";
import { Samples } from "../../../src/ptq/samples.ts";
import { bytesOf, type NetworkFileName, networkFiles } from "../../fixtures/onnx/files.ts";
import { Draw } from "./draw.ts";
import { mutatedBytes } from "./graph-mutations.ts";
import { type Outcome, quantizeCase, written } from "./quantize-case.ts";
import { randomGraph, type SampledGraph, samplesFile } from "./random-graph.ts";
import { randomSettings } from "./random-settings.ts";

/** "invalid": the runtime takes none of the random graphs that were tried, which counts for nothing. */
export type CaseOutcome = Outcome | "invalid";

type Case = (seed: number, folder: string) => Promise<CaseOutcome>;

/**
 * Weights of 8 bits alone have about 40 dB a layer. Random networks lose more than trained ones, where a normalization
 * divides by a small deviation, or differences of values that are nearly the same are taken; nothing that is right
 * falls to this.
 */
const LEAST_DB = 15;

async function loads(bytes: Uint8Array): Promise<boolean> {
  try {
    await using _ = await FileSession.load(bytes, "it");
    return true;
  } catch {
    return false;
  }
}

async function runs({ bytes, samples }: SampledGraph): Promise<boolean> {
  try {
    await using session = await FileSession.load(bytes, "it");
    const given = Samples.of(session.inputs, samples, "the samples");
    for await (const { inputs } of given.batches(given.order(1))) await session.run(inputs);
    return true;
  } catch {
    return false;
  }
}

/** The first graph of a seed that the runtime takes; null: none of the first few. */
async function validGraph(seed: number): Promise<SampledGraph | null> {
  for (let attempt = 0; attempt < 4; attempt++) {
    const graph = randomGraph(seed + 1_000_000 * attempt);
    if (await runs(graph)) return graph;
  }
  return null;
}

const files = ["handwritten-odd", "handwritten-perceptron", "pytorch-cnn-opset11", "keras-cnn"] as const;

/** A file of the fixtures, with images. */
function imageFile(draw: Draw, name: NetworkFileName): SampledGraph {
  const bytes = bytesOf(name);
  const [height, width, channels] = networkFiles[name];
  const shape = name.startsWith("keras") ? [4, height, width, channels] : [4, channels, height, width];
  return { bytes, samples: new Map([["x", { shape, data: draw.floats(4 * height * width * channels) }]]) };
}

/** Most of them one that the runtime still loads: what it does not ends at the door. */
async function mutatedFile(draw: Draw, bytes: Uint8Array): Promise<Uint8Array> {
  for (let attempts = draw.chance(0.75) ? 10 : 1; ; attempts--) {
    const changed = mutatedBytes(draw, bytes);
    if (attempts <= 1 || (await loads(changed))) return changed;
  }
}

const quantizes = (graph: SampledGraph, draw: Draw, folder: string): Promise<Outcome> => {
  const file = written(folder, "it.onnx", graph.bytes);
  const samples = draw.chance(0.6) ? written(folder, "samples.npz", samplesFile(graph.samples)) : null;
  return quantizeCase(graph.samples, { folder, settings: randomSettings(draw, file, samples) });
};

export const cases: Readonly<Record<string, Case>> = {
  async random(seed, folder) {
    const graph = await validGraph(seed);
    if (graph === null) return "invalid";
    const file = written(folder, "it.onnx", graph.bytes);
    const plain: QuantizeSettings = {
      network: { file },
      method: { name: "nearest" },
      bits: { weights: 8, activations: 32 },
    };
    const refused = await quantizeCase(graph.samples, { folder, settings: plain, leastDb: LEAST_DB });
    if (refused !== null && !/no layer to quantize/.test(refused)) throw new Error(`valid, and refused: ${refused}`);
    return quantizes(graph, new Draw(seed, "settings"), folder);
  },
  async mutated(seed, folder) {
    const draw = new Draw(seed, "mutated");
    const graph = draw.chance(0.6) ? randomGraph(draw.int(0, 10_000)) : imageFile(draw, draw.pick(files));
    return quantizes({ ...graph, bytes: await mutatedFile(draw, graph.bytes) }, draw, folder);
  },
};
