import { elementTypes } from "../onnx/element-types.ts";
import type { NodeProto } from "../onnx/generated/onnx_pb.ts";
import { isStandardDomain } from "../onnx/onnx-model.ts";
import { realValues } from "../onnx/tensor-data.ts";
import { constantValues } from "./constants.ts";
import type { FileGraph } from "./file-graph.ts";
import { operatorOf } from "./file-graph.ts";
import {
  fittingGranularity,
  type Granularity,
  type WeightedNode,
  type WeightSite,
  weightOperators,
} from "./weight-site.ts";

/** A node with a weight that stays as it is, and why. */
export interface LeftNode {
  readonly name: string;
  readonly operator: string;
  readonly reason: string;
}

export interface Sites {
  readonly sites: readonly WeightSite[];
  readonly left: readonly LeftNode[];
  /** The nodes of `left`, with their weights' sizes. */
  readonly unquantized: readonly WeightedNode[];
}

export const nameOf = (node: NodeProto): string => node.name || (node.output[0] ?? "");

/** Weights of fewer numbers are left in float: their steps would take as much room as they save. */
const SMALLEST = 32;

/**
 * Finds the nodes whose weights can be stored in few bits: constants of the file, or made of constants alone.
 *
 * @param options.skips Whether the user wants a node left alone.
 */
export async function findSites(
  graph: FileGraph,
  file: string,
  {
    skips,
    granularity,
    inner = new Map(),
  }: {
    skips(name: string): boolean;
    readonly granularity: Granularity;
    /** Nodes in subgraphs, and which of their inputs are weights (`liftWeights`). */
    readonly inner?: ReadonlyMap<NodeProto, ReadonlySet<number>>;
  },
): Promise<Sites> {
  const sites: WeightSite[] = [];
  const left: LeftNode[] = [];
  const unquantized: WeightedNode[] = [];
  const candidates = graph.nodes.filter(({ domain, opType }) => isStandardDomain(domain) && opType in weightOperators);
  const weights = [...candidates, ...inner.keys()].flatMap((node) =>
    (weightOperators[node.opType] ?? [])
      .filter(({ slot }) => inner.get(node)?.has(slot) ?? true)
      .map((operator) => ({ node, operator })),
  );
  const computed = await constantValues(
    graph,
    weights.flatMap(({ node, operator }) => node.input[operator.slot] ?? []),
    file,
  );
  for (const { node, operator } of weights) {
    const name = nameOf(node);
    const weight = node.input[operator.slot] ?? "";
    const tensor = graph.initializer(weight);
    const found = tensor
      ? { dims: tensor.dims.map(Number), type: tensor.dataType, values: realValues(tensor) }
      : computed.get(weight);
    // A product or a lookup of what the network computes has no weight.
    if (found === undefined) continue;
    const { dims, type, values } = found;
    const layout = operator.layout(node, dims);
    const leave = (reason: string) => {
      left.push({ name, operator: operatorOf(node), reason });
      unquantized.push({ node, inner: inner.has(node), operator, dims });
    };
    if (type === elementTypes.double) leave("its weight has numbers of 64 bits");
    else if (values === null || (type !== elementTypes.float && type !== elementTypes.float16)) continue;
    else if (layout === null) leave(`its weight has the shape [${dims}]`);
    else if (values.length < SMALLEST) leave(`its weight has only ${values.length} numbers`);
    else if (!values.every(Number.isFinite)) leave("its weight holds numbers that are not finite");
    else if (skips(name)) leave("it is to be skipped");
    else if (inner.has(node) && operator.data === null) leave("it looks up a table inside of a subgraph");
    else {
      const granularityOfIt = fittingGranularity(granularity, node, layout);
      sites.push({
        name,
        node,
        inner: inner.has(node),
        operator,
        layout,
        granularity: granularityOfIt,
        weight,
        type,
        values,
      });
    }
  }
  return { sites, left, unquantized };
}
