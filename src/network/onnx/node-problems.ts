import { labelOf, type OnnxNode } from "./model-graph.ts";
import { cut, Damaged, Unknown, Unsupported } from "./problems.ts";

/** So many operators, and so many reasons for each, are told. */
const [MAX_OPERATORS, MAX_REASONS] = [20, 3];

/** What cannot be taken over, collected node by node. */
export class NodeProblems {
  #damaged: string | null = null;
  readonly #unsupported = new Map<string, { readonly names: string[]; readonly reasons: Map<string, number> }>();

  /** @throws what is no problem of a node. */
  add(node: OnnxNode, error: unknown): void {
    if (error instanceof Damaged) this.#damaged ??= `${labelOf(node)}: ${error.message}`;
    else if (error instanceof Unsupported) this.#addUnsupported(node, error.message);
    else if (!(error instanceof Unknown)) throw error;
  }

  #addUnsupported({ operator, name }: OnnxNode, reason: string): void {
    const known = this.#unsupported.get(operator) ?? { names: [], reasons: new Map<string, number>() };
    this.#unsupported.set(operator, known);
    known.names.push(name);
    known.reasons.set(reason, (known.reasons.get(reason) ?? 0) + 1);
  }

  /** Ends the import when there is any: the first contradiction, and a line for each operator that is not supported. */
  throwIfAny(knownOperators: readonly string[]): void {
    const parts: string[] = [];
    if (this.#damaged !== null) parts.push(this.#damaged);
    if (this.#unsupported.size > 0) parts.push(this.#list(knownOperators));
    if (parts.length > 0) throw new Damaged(parts.join("\nand "));
  }

  #list(knownOperators: readonly string[]): string {
    const all = [...this.#unsupported];
    const nodes = all.reduce((sum, [, { names }]) => sum + names.length, 0);
    const what = nodes === 1 ? "a node is not supported" : `${nodes} nodes are not supported`;
    const lines = all.slice(0, MAX_OPERATORS).map(([operator, { names, reasons }]) => {
      const why = [...reasons].slice(0, MAX_REASONS).map(([reason, count]) => reason + times(count, names.length));
      if (reasons.size > MAX_REASONS) why.push(`${reasons.size - MAX_REASONS} more reasons`);
      return `  ${whichNodes(operator, names)}: ${why.join("; ")}`;
    });
    if (all.length > MAX_OPERATORS) lines.push(`  and ${all.length - MAX_OPERATORS} more operators`);
    const known = `known operators: ${knownOperators.join(", ")}`;
    const ways = `replace them before exporting it in float32, or let the network end before them (network: { file, outputs: [NAME] }), or use quantize, which takes any file`;
    return [`${what}; ${ways}:`, ...lines, known].join("\n");
  }
}

/** How often a reason holds, where it is not for all of the nodes. */
const times = (count: number, nodes: number): string => (count === nodes ? "" : ` (${count} of them)`);

function whichNodes(operator: string, names: readonly string[]): string {
  const [first, second] = names;
  if (names.length === 1) return labelOf({ operator, name: first! });
  const more = names.length > 2 ? ", …" : "";
  return `${cut(operator)}, ${names.length} nodes ("${cut(first!)}", "${cut(second!)}"${more})`;
}
