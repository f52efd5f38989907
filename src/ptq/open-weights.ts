import { create } from "@bufbuild/protobuf";
import { lookup } from "../core/lookup.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { FileSession, type RuntimeTensor } from "../onnx/file-session.ts";
import { type ValueInfoProto, ValueInfoProtoSchema } from "../onnx/generated/onnx_pb.ts";
import { opsetOf } from "../onnx/onnx-model.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import { openInside } from "./calibrate-activations.ts";
import { copyGraph } from "./copy-graph.ts";
import { type FileGraph, intAttribute } from "./file-graph.ts";
import { quantizeActivation } from "./quantize-activation.ts";
import type { RunSize, Samples } from "./samples.ts";
import { type WeightSite, weightKey } from "./weight-site.ts";

/** Weights by `weightKey`, float32; those that are not named are the file's own. */
export type Weights = ReadonlyMap<string, RuntimeTensor>;

/**
 * A model whose weights are inputs: the same session runs with any of them, and gives what sites read. Activations are
 * on `grids`, or in float where it has none.
 */
export class OpenWeights implements AsyncDisposable {
  /** The values that sites read, by site. */
  readonly #reads: ReadonlyMap<WeightSite, string>;
  readonly #own: Readonly<Record<string, RuntimeTensor>>;
  readonly #inputs: ReadonlyMap<string, string>;
  readonly #outputs: readonly string[];
  readonly #session: FileSession;

  private constructor(
    session: FileSession,
    known: {
      reads: ReadonlyMap<WeightSite, string>;
      own: Readonly<Record<string, RuntimeTensor>>;
      inputs: ReadonlyMap<string, string>;
      outputs: readonly string[];
    },
  ) {
    this.#session = session;
    this.#reads = known.reads;
    this.#own = known.own;
    this.#inputs = known.inputs;
    this.#outputs = known.outputs;
  }

  /**
   * @param shown The sites whose inputs are to be had.
   */
  static async open(
    graph: FileGraph,
    {
      sites,
      grids,
      shown,
      file,
    }: {
      readonly sites: readonly WeightSite[];
      readonly grids: ReadonlyMap<string, ActivationGrid>;
      readonly shown: readonly WeightSite[];
      readonly file: string;
    },
  ): Promise<OpenWeights> {
    const { graph: open, copyOf } = copyGraph(graph);
    const { model } = open;
    const outputs = model.graph.output.map(({ name }) => name);
    const inputs = new Map<string, string>();
    const own: Record<string, RuntimeTensor> = {};
    const declared: ValueInfoProto[] = [];
    /** Of float16 weights, behind their Cast. */
    const cast = new Map<string, string>();
    for (const site of sites) {
      const key = weightKey(site);
      if (!inputs.has(key)) {
        const name = open.freeName(`${site.weight}.given`);
        inputs.set(key, name);
        own[name] = FileSession.tensor(site.values, site.layout.dims);
        declared.push(floatInput(name, site.layout.dims));
        const to = [intAttribute("to", site.type)];
        cast.set(
          key,
          site.type === elementTypes.float
            ? name
            : open.addFirst("Cast", [name], { output: open.freeName(`${name}.half`), attributes: to }),
        );
      }
      copyOf(site.node).input[site.operator.slot] = lookup(cast, key);
    }
    const readers = new Set(sites.map(({ node }) => copyOf(node)));
    const opset = opsetOf(model);
    for (const [value, grid] of grids) quantizeActivation(open, { value, grid, opset, readers });
    const reads = new Map(
      shown.map((site) => [site, copyOf(site.node).input[site.operator.data ?? site.operator.slot] ?? ""]),
    );
    const finished = open.finish();
    finished.graph.input = [...finished.graph.input, ...declared];
    const session = await openInside(finished, [...new Set(reads.values())], file);
    return new OpenWeights(session, { reads, own, inputs, outputs });
  }

  /** Runs it over samples; `see` gets, for each run, its results by name. */
  async #each(
    { samples, order }: Calibration,
    weights: Weights,
    wanted: readonly string[],
    see: (result: (name: string) => RuntimeTensor, run: RunSize) => void,
  ): Promise<void> {
    const given = { ...this.#own };
    for (const [key, tensor] of weights) given[lookup(this.#inputs, key)] = tensor;
    for await (const { inputs, batch, count } of samples.batches(order)) {
      const made = wanted.filter((name) => !(name in inputs));
      const results = made.length > 0 ? await this.#session.run({ ...inputs, ...given }, made) : new Map();
      see((name) => inputs[name] ?? lookup(results, name), { batch, count });
    }
  }

  /** Shows what sites read, run by run. */
  async read(
    calibration: Calibration,
    { weights, sites }: { readonly weights: Weights; readonly sites: readonly WeightSite[] },
    see: (site: WeightSite, tensor: RuntimeTensor, run: RunSize) => void,
  ): Promise<void> {
    const wanted = [...new Set(sites.map((site) => lookup(this.#reads, site)))];
    await this.#each(calibration, weights, wanted, (result, run) => {
      for (const site of sites) see(site, result(lookup(this.#reads, site)), run);
    });
  }

  /** Shows the model's outputs, run by run. */
  async outputs(
    calibration: Calibration,
    weights: Weights,
    see: (outputs: ReadonlyMap<string, RuntimeTensor>, run: RunSize) => void,
  ): Promise<void> {
    await this.#each(calibration, weights, this.#outputs, (result, run) =>
      see(new Map(this.#outputs.map((name) => [name, result(name)])), run),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}

/** Samples, and which of them. */
export interface Calibration {
  readonly samples: Samples;
  readonly order: Uint32Array;
}

const floatInput = (name: string, dims: readonly number[]): ValueInfoProto => {
  const dim = dims.map((size) => ({ value: { case: "dimValue" as const, value: BigInt(size) } }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: elementTypes.float, shape: { dim } } } },
  });
};
