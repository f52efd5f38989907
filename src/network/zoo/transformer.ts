import type { NodeId, Shape } from "../../graph/graph.ts";
import type { ParameterNode } from "../../kinds/parameter.ts";
import type { NetworkBuilder } from "../builder.ts";

/** Where a block normalizes: what its parts read (as in vision transformers), or each sum (Vaswani et al., 2017). */
type Normalized = "before" | "behind";

export interface BlockOptions {
  readonly rows: number;
  readonly width: number;
  /** As many as divide the width. */
  readonly heads: number;
  readonly normalized: Normalized;
  /** Of layer normalizations. */
  readonly epsilon: number;
  /** The numbers of tokens, whose padding nothing attends to; absent: there is none. */
  readonly tokens?: NodeId;
}

/** Standard deviation of what learned positions start from: BERT's (Devlin et al., 2018), and DeiT's. */
const POSITIONS = 0.02;

/** A number of its own for each unit of each row, learned, is added: where a row stands. */
export function placed(network: NetworkBuilder, id: string, x: NodeId, shape: Shape): NodeId {
  const initial = { kind: "uniform", bound: POSITIONS * Math.sqrt(3) } as const;
  const shift = network.node({ kind: "parameter", id: `${id}.shift`, role: "shift", shape, initial });
  return network.node({
    ...{ kind: "affine", id, shaped: true },
    inputs: [x, number(network, `${id}.scale`, 1), shift],
  });
}

/** Layer normalization over the units of each row. */
export function layerNorm(
  network: NetworkBuilder,
  id: string,
  x: NodeId,
  { width, epsilon }: Pick<BlockOptions, "width" | "epsilon">,
): NodeId {
  const parameter = (role: "scale" | "shift", value: number) => {
    const node: ParameterNode = {
      ...{ kind: "parameter", id: `${id}.${role}`, role, shape: [width] },
      initial: { kind: "constant", value },
    };
    return network.node(node);
  };
  return network.node({
    ...{ kind: "layer-norm", id, epsilon },
    inputs: [x, parameter("scale", 1), parameter("shift", 0)],
  });
}

/** A block of a transformer's encoder: attention, and two dense layers with four times the width between, each added to what it reads. */
export function encoderBlock(network: NetworkBuilder, block: string, x: NodeId, options: BlockOptions): NodeId {
  const { width, normalized } = options;
  const norm = (part: string, of: NodeId) => layerNorm(network, `${block}.${part}`, of, options);
  const added = (part: string, from: NodeId, make: (read: NodeId) => NodeId) => {
    if (normalized === "before") return network.add(`${block}.sum${part}`, from, make(norm(`norm${part}`, from)));
    return norm(`norm${part}`, network.add(`${block}.sum${part}`, from, make(from)));
  };
  const attended = added("1", x, (read) => attention(network, `${block}.attention`, read, options));
  return added("2", attended, (read) => {
    const wide = network.dense(`${block}.fc1`, read, { inputs: width, outputs: 4 * width });
    const active = network.nonlinear(`${block}.gelu`, wide, { kind: "gelu" });
    return network.dense(`${block}.fc2`, active, { inputs: 4 * width, outputs: width });
  });
}

/** Attention with several heads: softmax(Q·K^T/√d)·V of each, side by side, and a dense layer (Vaswani et al., 2017). */
function attention(
  network: NetworkBuilder,
  id: string,
  x: NodeId,
  { rows, width, heads, tokens }: BlockOptions,
): NodeId {
  const units = width / heads;
  const projected = (part: string) => {
    const layer = network.dense(`${id}.${part}`, x, { inputs: width, outputs: width });
    const shape = [rows, heads, units];
    const split = network.node({ kind: "reshape", id: `${id}.${part}.heads`, inputs: [layer], shape });
    return network.node({ kind: "transpose", id: `${id}.${part}.turned`, inputs: [split], order: [1, 0, 2] });
  };
  const product = (part: string, left: NodeId, right: NodeId, transposeB: boolean) =>
    network.node({ kind: "matmul", id: `${id}.${part}`, inputs: [left, right], transposeA: false, transposeB });
  const scores = product("scores", projected("query"), projected("key"), true);
  const [factor, zero] = [number(network, `${id}.factor`, 1 / Math.sqrt(units)), number(network, `${id}.zero`, 0)];
  const scaled = network.node({ kind: "affine", id: `${id}.scaled`, shaped: true, inputs: [scores, factor, zero] });
  const shares =
    tokens === undefined
      ? network.node({ kind: "softmax", id: `${id}.shares`, inputs: [scaled] })
      : network.node({ kind: "masked-softmax", id: `${id}.shares`, inputs: [tokens, scaled] });
  const mixed = product("mixed", shares, projected("value"), false);
  const back = network.node({ kind: "transpose", id: `${id}.back`, inputs: [mixed], order: [1, 0, 2] });
  const joined = network.node({ kind: "reshape", id: `${id}.joined`, inputs: [back], shape: [rows, width] });
  return network.dense(`${id}.out`, joined, { inputs: width, outputs: width });
}

/** A number that does not learn. */
const number = (network: NetworkBuilder, id: string, value: number): NodeId =>
  network.node({ kind: "parameter", id, role: "constant", shape: [1], initial: { kind: "constant", value } });
