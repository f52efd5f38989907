import { create } from "@bufbuild/protobuf";
import { lookup } from "../core/lookup.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { FileSession, type RuntimeTensor } from "../onnx/file-session.ts";
import { type ValueInfoProto, ValueInfoProtoSchema } from "../onnx/generated/onnx_pb.ts";
import { type Model, opsetOf } from "../onnx/onnx-model.ts";
import type { ActivationGrid } from "./activation-grid.ts";
import { copyGraph } from "./copy-graph.ts";
import { type FileGraph, intAttribute } from "./file-graph.ts";
import { openInside } from "./open-inside.ts";
import { quantizeActivation } from "./quantize-activation.ts";
import type { RunSize, Samples } from "./samples.ts";
import { type WeightSite, weightKey } from "./weight-site.ts";

/** Weights by `weightKey`, float32; those that are not named are the file's own. */
export type Weights = ReadonlyMap<string, RuntimeTensor>;

/** A model whose weights are inputs, and by which names. */
export interface OpenModel {
  readonly model: Model;
  /** By `weightKey`. */
  readonly inputs: ReadonlyMap<string, string>;
  /** The file's own weights, by those names. */
  readonly own: Readonly<Record<string, RuntimeTensor>>;
  /** The value that a site reads; of a table, the table itself. */
  readOf(site: WeightSite): string;
}

/** Activations are on `grids`, or in float where it has none. */
export function openModel(
  graph: FileGraph,
  { sites, grids }: { readonly sites: readonly WeightSite[]; readonly grids: ReadonlyMap<string, ActivationGrid> },
): OpenModel {
  const { graph: open, copyOf } = copyGraph(graph);
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
  const opset = opsetOf(open.model);
  for (const [value, grid] of grids) quantizeActivation(open, { value, grid, opset, readers });
  const model = open.finish();
  model.graph.input = [...model.graph.input, ...declared];
  const readOf = ({ node, operator }: WeightSite) => copyOf(node).input[operator.data ?? operator.slot] ?? "";
  return { model, inputs, own, readOf };
}

/** A session that runs with any weights. */
export class OpenWeights implements AsyncDisposable {
  readonly #open: OpenModel;
  readonly #outputs: readonly string[];
  readonly #session: FileSession;

  private constructor(session: FileSession, open: OpenModel) {
    this.#session = session;
    this.#open = open;
    this.#outputs = open.model.graph.output.map(({ name }) => name);
  }

  static async open(
    graph: FileGraph,
    { file, ...options }: Parameters<typeof openModel>[1] & { readonly file: string },
  ): Promise<OpenWeights> {
    const open = openModel(graph, options);
    return new OpenWeights(await openInside(open.model, [], file), open);
  }

  /** Shows the model's outputs, run by run. */
  async outputs(
    { samples, order }: Calibration,
    weights: Weights,
    see: (outputs: ReadonlyMap<string, RuntimeTensor>, run: RunSize) => void,
  ): Promise<void> {
    const given = { ...this.#open.own };
    for (const [key, tensor] of weights) given[lookup(this.#open.inputs, key)] = tensor;
    for await (const { inputs, batch, count } of samples.batches(order)) {
      const made = this.#outputs.filter((name) => !(name in inputs));
      const results = made.length > 0 ? await this.#session.run({ ...inputs, ...given }, made) : new Map();
      see(new Map(this.#outputs.map((name) => [name, inputs[name] ?? lookup(results, name)])), { batch, count });
    }
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
