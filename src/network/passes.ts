import type { Tensor } from "../engine/ops.ts";
import { inputsOf, type Network, type Node, type NodeId } from "./graph.ts";
import type { BackwardPass, Pass } from "./node-kind.ts";
import { kindOf } from "./nodes/index.ts";

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
    const left = this.#counts.get(tensor)! - 1;
    this.#counts.set(tensor, left);
    if (left > 0) return;
    this.#counts.delete(tensor);
    this.#pass.ops.release(tensor);
  }
}

/** A forward pass that can be walked back. */
export interface Trace {
  readonly output: Tensor;
  readonly saved: ReadonlyMap<NodeId, readonly (Tensor | null)[]>;
  readonly holders: Holders;
}

/** Ids of the nodes that a gradient must reach: parameters and everything that depends on one. */
function trainable(network: Network): ReadonlySet<NodeId> {
  const ids = new Set<NodeId>();
  for (const node of network.nodes) {
    if (node.kind === "parameter" || inputsOf(node).some((id) => ids.has(id))) ids.add(node.id);
  }
  return ids;
}

/** Ids of the nodes that the images reach. */
function reachedByImages(network: Network): ReadonlySet<NodeId> {
  const ids = new Set<NodeId>();
  for (const node of network.nodes) {
    if (node.kind === "input" || inputsOf(node).some((id) => ids.has(id))) ids.add(node.id);
  }
  return ids;
}

/**
 * What the images do not change, as the nodes that they reach read it: quantized weights, biases. Evaluation computes it
 * once for all batches.
 *
 * @returns Tensors that the caller releases.
 */
export function evaluateWeights(network: Network, pass: Pass): ReadonlyMap<NodeId, Tensor> {
  const reached = reachedByImages(network);
  const read = new Set(network.nodes.filter(({ id }) => reached.has(id)).flatMap(inputsOf));
  return pass.ops.scope(
    () => {
      const outputs = new Map<NodeId, Tensor>();
      for (const node of network.nodes) {
        if (reached.has(node.id)) continue;
        const inputs = inputsOf(node).map((id) => outputs.get(id)!);
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
  const uses = new Map<NodeId, number>([[network.output, 1]]);
  for (const node of network.nodes) for (const id of inputsOf(node)) uses.set(id, (uses.get(id) ?? 0) + 1);

  for (const [id, tensor] of weights ?? []) {
    outputs.set(id, tensor);
    holders.hold(tensor, uses.get(id)! + 1);
  }
  const reached = weights && reachedByImages(network);
  for (const node of network.nodes) {
    if (reached && !reached.has(node.id)) continue;
    const inputs = inputsOf(node).map((id) => outputs.get(id)!);
    const result = pass.ops.scope(
      () => kindOf(node).forward(node, inputs, pass),
      ({ output, saved }) => [output, ...saved],
    );
    outputs.set(node.id, result.output);
    holders.hold(result.output, uses.get(node.id) ?? 0);
    for (const tensor of result.saved) holders.hold(tensor);
    if (keep) saved.set(node.id, result.saved);
    else for (const tensor of result.saved) holders.drop(tensor);
    observe?.(node, result.output, inputs);
    for (const tensor of inputs) holders.drop(tensor);
  }
  return { output: outputs.get(network.output)!, saved, holders };
}

/**
 * Walks a trace back from the gradient of its output; frees what was saved as it goes.
 *
 * @returns The gradient of every parameter, owned by the caller.
 */
export function backward(
  network: Network,
  { saved, holders, output }: Trace,
  gradient: Tensor,
  pass: BackwardPass,
): ReadonlyMap<NodeId, Tensor> {
  const { ops } = pass;
  const reached = trainable(network);
  const gradients = new Map<NodeId, Tensor>([[network.output, gradient]]);
  /** A node may pass its gradient on unchanged, to several inputs. */
  const owners = new Holders(pass);
  owners.hold(gradient);
  const parameters = new Map<NodeId, Tensor>();
  holders.drop(output);
  for (const node of network.nodes.toReversed()) {
    const kept = saved.get(node.id)!;
    const upstream = gradients.get(node.id);
    if (upstream !== undefined && node.kind === "parameter") {
      parameters.set(node.id, upstream);
    } else if (upstream !== undefined) {
      const inputs = inputsOf(node);
      const results = ops.scope(
        () => {
          const needs = inputs.map((id) => reached.has(id));
          return kindOf(node).backward(node, upstream, kept, pass, needs);
        },
        (results) => results,
      );
      results.forEach((result, index) => {
        if (result === null) return;
        const id = inputs[index]!;
        const other = gradients.get(id);
        owners.hold(result);
        if (other === undefined) {
          gradients.set(id, result);
        } else {
          const sum = ops.add(other, result);
          owners.hold(sum);
          gradients.set(id, sum);
          for (const part of [other, result]) owners.drop(part);
        }
      });
      owners.drop(upstream);
    }
    for (const tensor of kept) holders.drop(tensor);
  }
  return parameters;
}
