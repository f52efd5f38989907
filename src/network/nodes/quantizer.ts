import type { Ops, Tensor } from "../../engine/ops.ts";
import type { QuantizerNode } from "../graph.ts";
import type { NodeKind, Pass, QuantizerSetting } from "../node-kind.ts";

/** Σ_b w_b·X_b: mostly a single term, as gates are 0 or 1 most of the time. */
function telescoped(ops: Ops, x: Tensor, { terms, xMax }: QuantizerSetting, signed: boolean): Tensor {
  const [first, ...rest] = terms.map(({ bits, weight }) => {
    const onGrid = ops.quantize(x, { bits, signed, xMax });
    return weight === 1 ? onGrid : ops.multiply(onGrid, ops.tensor(Float32Array.of(weight), []));
  });
  return rest.reduce((sum, term) => ops.add(sum, term), first!);
}

/** z_2 where it multiplies this tensor; null when all are 1. */
const gatesOf = ({ id, gated }: QuantizerNode, pass: Pass): Tensor | null =>
  gated === "weight" ? pass.channelGates(id) : null;

/** The gated quantizer in its telescoped form (ARCHITECTURE.md, "The method" 1). */
export const quantizer: NodeKind<QuantizerNode> = {
  shape: (_, [x]) => x!,
  forward(node, [x], pass) {
    const onGrid = telescoped(pass.ops, x!, pass.quantizer(node.id), node.signed);
    const gates = gatesOf(node, pass);
    const output = gates === null ? onGrid : pass.ops.multiply(onGrid, gates);
    return { output, saved: [x!, output] };
  },
  backward(node, gradient, [x, output], pass) {
    const { id, signed, gated } = node;
    const { ops } = pass;
    const setting = pass.quantizer(id);
    const gates = gatesOf(node, pass);
    const scaled = gates === null ? gradient : ops.multiply(gradient, gates);
    const result = ops.rangeMask(x!, scaled, { signed, xMax: setting.xMax });
    pass.range(id, ops.dot(gradient, output!), ops.dot(result, x!));
    for (const bits of setting.wanted) {
      const onGrid = ops.quantize(x!, { bits, signed, xMax: setting.xMax });
      pass.level(id, bits, ops.dot(scaled, onGrid));
      ops.release(onGrid);
    }
    if (gated === "weight" && setting.wantsChannels) {
      pass.channels(id, ops.read(ops.sumPerChannel(ops.multiply(gradient, output!))));
    }
    return [result];
  },
};
