import { applyByKind } from "../core/by-kind.ts";
import { lookup } from "../core/lookup.ts";
import { elementsOf } from "../graph/shape.ts";
import type { Elements } from "./exact-elements.ts";
import { elementRules, type WithTable } from "./exact-rules.ts";
import type { FrozenNode } from "./frozen-network.ts";
import { decodedTable, valuesOf } from "./tensor-values.ts";

/** Values by node, [batch, …]. */
type Known = ReadonlyMap<string, ArrayLike<number>>;

/**
 * Single elements of a network in float64: what float32 kernels, the trainer's and the runtime's, both approximate.
 * Slow for a whole value; made for the few elements whose codes differ. With `magnitudes`, what they would be if every
 * term of every sum had its absolute value: float32 errors are a share of that.
 */
export class ExactValues {
  readonly #nodes: ReadonlyMap<string, FrozenNode>;
  readonly #weights = new Map<string, Float32Array>();
  readonly #magnitudes: boolean;
  /** Where this one gives magnitudes: what gives the values. */
  readonly #exact: ExactValues | null;

  constructor(nodes: readonly FrozenNode[], { magnitudes }: { readonly magnitudes: boolean }) {
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
    this.#magnitudes = magnitudes;
    this.#exact = magnitudes ? new ExactValues(nodes, { magnitudes: false }) : null;
  }

  /**
   * The elements of a node's value for a batch, counted through the batch, computed from what `known` has: values by
   * node, [batch, …].
   *
   * @param terms Where magnitudes are wanted: the terms that known values are sums of, if they are not themselves.
   */
  of(id: string, known: Known, terms: Known = known): Elements {
    const size = elementsOf(lookup(this.#nodes, id).outputShape);
    return (index) => this.#image(id, { known, terms }, Math.floor(index / size))(index % size);
  }

  #image(id: string, given: { readonly known: Known; readonly terms: Known }, image: number): Elements {
    const node = lookup(this.#nodes, id);
    const values = (this.#magnitudes ? given.terms : given.known).get(id);
    if (values !== undefined) {
      const start = image * elementsOf(node.outputShape);
      return (index) => this.#term(values[start + index]!);
    }
    const inputs = node.inputs.map((input) => ({
      elements: this.#image(input, given, image),
      exact: (index: number) => (this.#exact ?? this).#image(input, given, image)(index),
      shape: lookup(this.#nodes, input).outputShape,
    }));
    return applyByKind(elementRules, node, {
      inputs,
      magnitudes: this.#magnitudes,
      term: (value) => this.#term(value),
      weightOf: (layer) => this.#weightOf(layer),
    });
  }

  #term(value: number): number {
    return this.#magnitudes ? Math.abs(value) : value;
  }

  #weightOf(node: WithTable): Float32Array {
    const written = () => (node.kind === "coded-embedding" ? decodedTable(node) : valuesOf(node.weight));
    const values = this.#weights.get(node.id) ?? written().map((value) => this.#term(value));
    this.#weights.set(node.id, values);
    return values;
  }
}
