import { lookup } from "../core/lookup.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { BackwardPass, Pass } from "../graph/node-kind.ts";
import { dependentsOf, inputsOf, nodesById, usesOf } from "../graph/walk.ts";
import { addedBias, type BiasNode } from "../kinds/bias.ts";
import { kindOf, type Network, type Node, perInput } from "../kinds/index.ts";

/** Counts who still needs a tensor and frees it with the last: the memory of a step is what is still to be used. */
class Holders {
  readonly #counts = new Map<Tensor, number>();
  readonly #pass: Pass;

  constructor(pass: Pass) {
    this.#pass = pass;
  }

  hold(tensor: Tensor | null, times = 1): void {
    if (tensor !== null) this.#counts.set(tensor, (this.#counts.get(tensor) ?? 0) + times);
  }

  drop(tensor: Tensor | null): void {
    if (tensor === null) return;
    const left = lookup(this.#counts, tensor) - 1;
    this.#counts.set(tensor, left);
    if (left > 0) return;
    this.#counts.delete(tensor);
    this.#pass.ops.release(tensor);
  }
}

/** A forward pass that can be walked back. */
export interface Trace {
  /** As the network names them. */
  readonly outputs: readonly Tensor[];
  readonly saved: ReadonlyMap<NodeId, readonly (Tensor | null)[]>;
  readonly holders: Holders;
}

/** The nodes that what goes into the network reaches. */
export const reachedByInputs = (network: Pick<Network, "nodes">): ReadonlySet<NodeId> =>
  dependentsOf(network, ({ kind }) => kind === "input");

/**
 * What the inputs do not change, as the nodes that they reach read it: quantized weights, biases. Evaluation computes it
 * once for all batches.
 *
 * @returns Tensors that the caller releases.
 */
export function evaluateWeights(network: Network, pass: Pass): ReadonlyMap<NodeId, Tensor> {
  const reached = reachedByInputs(network);
  const read = new Set(network.nodes.filter(({ id }) => reached.has(id)).flatMap(inputsOf));
  return pass.ops.scope(
    () => {
      const outputs = new Map<NodeId, Tensor>();
      for (const node of network.nodes) {
        if (reached.has(node.id)) continue;
        const inputs = perInput(node, (id) => lookup(outputs, id));
        outputs.set(node.id, kindOf(node).forward(node, inputs, pass).output);
      }
      return new Map(Array.from(outputs).filter(([id]) => read.has(id)));
    },
    (weights) => [...weights.values()],
  );
}

/**
 * Runs the network. With `keep` (training) what the backward pass needs stays alive, in the trace; otherwise every
 * tensor is freed with its last use.
 *
 * @param weights As `evaluateWeights` gives them; they stay the caller's.
 * @param observe Called with each node's output while it is alive: how ranges start and layers are compared.
 */
export function forward(
  network: Network,
  pass: Pass,
  {
    keep,
    weights,
    observe,
  }: {
    keep: boolean;
    weights?: ReadonlyMap<NodeId, Tensor>;
    observe?: (node: Node, output: Tensor, inputs: readonly Tensor[]) => void;
  },
): Trace {
  const holders = new Holders(pass);
  const outputs = new Map<NodeId, Tensor>();
  const saved = new Map<NodeId, readonly (Tensor | null)[]>();
  const uses = usesOf(network);

  for (const [id, tensor] of weights ?? []) {
    outputs.set(id, tensor);
    holders.hold(tensor, lookup(uses, id) + 1);
  }
  const reached = weights && reachedByInputs(network);
  const biased = observe ? new Map<NodeId, BiasedLayer>() : biasedLayers(network, uses);
  const later = new Set(Array.from(biased.values(), ({ layer }) => layer.id));
  for (const node of network.nodes) {
    if (later.has(node.id) || (reached && !reached.has(node.id))) continue;
    const joined = biased.get(node.id);
    const read = joined === undefined ? inputsOf(node) : [...inputsOf(joined.layer), joined.bias.inputs[1]];
    const outputOf = (id: NodeId) => lookup(outputs, id);
    const inputs = read.map(outputOf);
    const { output, saved: needed } = pass.ops.scope(
      () => (joined ? forwardBiased(joined, outputOf, pass) : forwardAlone(node, outputOf, pass)),
      ({ output, saved }) => [output, ...saved.flatMap(([, tensors]) => tensors)],
    );
    outputs.set(node.id, output);
    holders.hold(output, uses.get(node.id) ?? 0);
    for (const [id, tensors] of needed) {
      for (const tensor of tensors) holders.hold(tensor);
      if (keep) saved.set(id, tensors);
      else for (const tensor of tensors) holders.drop(tensor);
    }
    observe?.(node, output, inputs);
    for (const tensor of inputs) holders.drop(tensor);
  }
  return { outputs: network.outputs.map((id) => lookup(outputs, id)), saved, holders };
}

/** The output of a node, and what the backward of each node that it stands for will need. */
interface Computed {
  readonly output: Tensor;
  readonly saved: readonly (readonly [NodeId, readonly (Tensor | null)[]])[];
}

function forwardAlone(node: Node, outputOf: (id: NodeId) => Tensor, pass: Pass): Computed {
  const { output, saved } = kindOf(node).forward(node, perInput(node, outputOf), pass);
  return { output, saved: [[node.id, saved]] };
}

/** A layer and its bias at once: the layer's output alone, often the widest tensor of the pass, is never written. */
function forwardBiased({ layer, bias }: BiasedLayer, outputOf: (id: NodeId) => Tensor, pass: Pass): Computed {
  const added = addedBias(bias, outputOf(bias.inputs[1]), pass);
  const { output, saved } = kindOf(layer).forward(layer, perInput(layer, outputOf), pass, added);
  return {
    output,
    saved: [
      [layer.id, saved],
      [bias.id, [added]],
    ],
  };
}

/** A layer that adds its bias in the same pass. */
interface BiasedLayer {
  readonly layer: Node;
  readonly bias: BiasNode;
}

/** By bias: the layer that nothing else reads, where its kind adds a bias in the same pass. */
function biasedLayers(network: Network, uses: ReadonlyMap<NodeId, number>): ReadonlyMap<NodeId, BiasedLayer> {
  const nodes = nodesById(network);
  const layers = new Map<NodeId, BiasedLayer>();
  for (const node of network.nodes) {
    if (node.kind !== "bias") continue;
    const layer = lookup(nodes, node.inputs[0]);
    if (uses.get(layer.id) === 1 && kindOf(layer).addsBias) layers.set(node.id, { layer, bias: node });
  }
  return layers;
}

/**
 * Walks a trace back from the gradients of its outputs; frees what was saved as it goes.
 *
 * @param upstream The gradient of each output, in order; null: nothing depends on it.
 * @param learns What gradients are wanted for; every parameter if left out.
 * @returns The gradient of every parameter that learns, owned by the caller.
 */
export function backward(
  network: Network,
  { saved, holders, outputs }: Trace,
  upstream: readonly (Tensor | null)[],
  pass: BackwardPass,
  learns: (node: Node) => boolean = ({ kind }) => kind === "parameter",
): ReadonlyMap<NodeId, Tensor> {
  const { ops } = pass;
  const reached = dependentsOf(network, learns);
  const gradients = new Map<NodeId, Tensor>();
  /** A node may pass its gradient on unchanged, to several inputs. */
  const owners = new Holders(pass);
  const add = (id: NodeId, gradient: Tensor | null) => {
    if (gradient === null) return;
    const other = gradients.get(id);
    owners.hold(gradient);
    if (other === undefined) {
      gradients.set(id, gradient);
      return;
    }
    const sum = ops.add(other, gradient);
    owners.hold(sum);
    gradients.set(id, sum);
    for (const part of [other, gradient]) owners.drop(part);
  };
  for (const [index, id] of network.outputs.entries()) add(id, upstream[index] ?? null);
  for (const output of outputs) holders.drop(output);
  const parameters = new Map<NodeId, Tensor>();
  for (const node of network.nodes.toReversed()) {
    const kept = lookup(saved, node.id);
    const gradient = gradients.get(node.id);
    if (gradient !== undefined && node.kind === "parameter") {
      parameters.set(node.id, gradient);
    } else if (gradient !== undefined) {
      const inputs = inputsOf(node);
      const needs = inputs.map((id) => reached.has(id));
      const needed = (results: readonly (Tensor | null)[]) =>
        results.map((result, index) => (needs[index] ? result : null));
      const results = ops.scope(
        () => needed(kindOf(node).backward(node, gradient, kept, pass, needs)),
        (made) => made,
      );
      for (const [index, id] of inputs.entries()) add(id, results[index] ?? null);
      owners.drop(gradient);
    }
    for (const tensor of kept) holders.drop(tensor);
  }
  return parameters;
}
