import { lookup } from "../core/lookup.ts";
import { uniforms } from "../core/random.ts";
import type { Ops, Variable } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { RunningStatistics } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";
import { kindOf, type Network, perInput } from "../kinds/index.ts";
import type { ParameterNode } from "../kinds/parameter.ts";
import type { InitialValues } from "../network/initial-values.ts";
import { outputShapes } from "../network/output-shapes.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";

/** The codes of an embedding once they stand. */
export interface FrozenCodes {
  /** [vocabulary, groups] */
  readonly codes: Int32Array;
  /** How many are others than by the running statistics, which follow single batches. */
  readonly changed: number;
}

/** A network in training: its graph with quantizers, and everything that is learned. */
export interface Model {
  readonly network: Network;
  /** Of evaluation and of everything that is learned: float32. */
  readonly ops: Ops;
  /** Of the passes of training: the same engine, at the precision that was asked for. */
  readonly trainingOps: Ops;
  readonly parameters: ReadonlyMap<NodeId, Variable>;
  /** Running statistics by batch normalization and coded embedding: on the host, and changed in place. */
  readonly statistics: ReadonlyMap<NodeId, RunningStatistics>;
  /** Of embeddings by codes once they are frozen: none while they learn. */
  readonly codes: Map<NodeId, FrozenCodes>;
  /** Where training changes the kind of a quantizer, another one takes its place here. */
  readonly quantizers: Map<NodeId, Quantizer>;
  /** The parameters that learn; all if left out. */
  readonly learning?: ReadonlySet<NodeId> | undefined;
}

/**
 * A network with its quantizers at the start of training.
 *
 * @param initial Where a trained network's values are known, they are what training starts from.
 */
export function createModel(
  network: Network,
  {
    ops,
    trainingOps = ops,
    seed,
    quantizers,
    learning,
    initial,
  }: Pick<Model, "ops" | "quantizers" | "learning"> & {
    trainingOps?: Ops;
    seed: number;
    initial?: InitialValues | undefined;
  },
): Model {
  const parameters = createParameters(network, ops, seed, initial?.parameters);
  return {
    network,
    ops,
    trainingOps,
    parameters,
    statistics: createStatistics(network, initial?.statistics),
    quantizers,
    codes: new Map(),
    learning: withoutConstants(network, learning),
  };
}

/** The parameters that learn; those that are constants never do. */
function withoutConstants({ nodes }: Network, learning: Model["learning"]): Model["learning"] {
  const parameters = nodes.filter((node) => node.kind === "parameter");
  if (parameters.every(({ role }) => role !== "constant")) return learning;
  const learned = parameters.filter(({ role, id }) => role !== "constant" && (learning?.has(id) ?? true));
  return new Set(learned.map(({ id }) => id));
}

/** First values of the trained tensors: known ones, or a function of the seed. */
function createParameters(
  network: Network,
  ops: Ops,
  seed: number,
  known: InitialValues["parameters"] = new Map(),
): ReadonlyMap<NodeId, Variable> {
  const parameters = new Map<NodeId, Variable>();
  for (const node of network.nodes) {
    if (node.kind !== "parameter") continue;
    // A copy: an engine may keep the array that it is given.
    const values = known.get(node.id)?.slice() ?? initialValues(node, seed);
    parameters.set(node.id, ops.variable(node.id, values, node.shape));
  }
  return parameters;
}

function initialValues({ id, shape, initial }: ParameterNode, seed: number): Float32Array {
  const elements = elementsOf(shape);
  if (initial.kind === "constant") return new Float32Array(elements).fill(initial.value);
  const drawn = uniforms({ seed, stream: id, counter: 0 }, elements);
  return Float32Array.from(drawn, (u) => (2 * u - 1) * initial.bound);
}

/** Statistics at the start: known ones, or mean 0 and variance 1. */
function createStatistics(
  network: Network,
  known: InitialValues["statistics"] = new Map(),
): ReadonlyMap<NodeId, RunningStatistics> {
  const shapes = outputShapes(network);
  const statistics = new Map<NodeId, RunningStatistics>();
  for (const node of network.nodes) {
    const channels = kindOf(node).statistics?.(
      node,
      perInput(node, (id) => lookup(shapes, id)),
    );
    if (channels === undefined) continue;
    const { mean, variance } = known.get(node.id) ?? {};
    statistics.set(node.id, {
      mean: mean?.slice() ?? new Float32Array(channels),
      variance: variance?.slice() ?? new Float32Array(channels).fill(1),
    });
  }
  return statistics;
}
