import type { Ops, Tensor } from "../../engine/ops.ts";
import type { QuantizerNode } from "../graph.ts";
import type { NodeKind, QuantizerSetting } from "../node-kind.ts";

/** Σ_b w_b·X_b: mostly a single term, as gates are 0 or 1 most of the time. */
function telescoped(ops: Ops, x: Tensor, { terms, xMax }: QuantizerSetting, signed: boolean): Tensor {
  const [first, ...rest] = terms.map(({ bits, weight }) => {
    const onGrid = ops.quantize(x, { bits, signed, xMax });
    return weight === 1 ? onGrid : ops.multiply(onGrid, ops.tensor(Float32Array.of(weight), []));
  });
  return rest.reduce((sum, term) => ops.add(sum, term), first!);
}

/** The gated quantizer in its telescoped form (ARCHITECTURE.md, "The method" 1). */
export const quantizer: NodeKind<QuantizerNode> = {
  shape: (_, [x]) => x!,
  forward({ id, signed }, [x], pass) {
    const setting = pass.quantizer(id);
    const onGrid = telescoped(pass.ops, x!, setting, signed);
    const gates = pass.channelGates(id);
    const output = gates === null ? onGrid : pass.ops.multiply(onGrid, gates);
    return { output, saved: [x!, output] };
  },
  backward(node, gradient, [x, output], pass) {
    const { id, signed } = node;
    const { ops } = pass;
    const setting = pass.quantizer(id);
    const gates = pass.channelGates(id);
    const gated = gates === null ? gradient : ops.multiply(gradient, gates);
    const result = ops.rangeMask(x!, gated, { signed, xMax: setting.xMax });
    pass.range(id, ops.dot(gradient, output!), ops.dot(result, x!));
    for (const bits of setting.wanted) {
      const onGrid = ops.quantize(x!, { bits, signed, xMax: setting.xMax });
      pass.level(id, bits, ops.dot(gated, onGrid));
      ops.release(onGrid);
    }
    if (setting.wantsChannels) pass.channels(id, ops.sumPerChannel(ops.multiply(gradient, output!)));
    return [result];
  },
};
