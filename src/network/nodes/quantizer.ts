import type { QuantizerNode } from "../graph.ts";
import type { NodeKind } from "../node-kind.ts";

/** The gated quantizer in its telescoped form (ARCHITECTURE.md, "The method" 1). */
export const quantizer: NodeKind<QuantizerNode> = {
  shape: (_, [x]) => x!,
  forward({ id, signed, gated }, [x], pass) {
    const onGrid = pass.ops.gatedQuantize(x!, { ...pass.quantizer(id), signed });
    const gates = gated === "weight" ? pass.channelGates(id) : null;
    return { output: gates === null ? onGrid : pass.ops.multiply(onGrid, gates), saved: [x!] };
  },
  backward({ id, signed, gated }, gradient, [x], pass) {
    const { ops } = pass;
    const options = { ...pass.quantizer(id), signed };
    const gates = gated === "weight" ? pass.channelGates(id) : null;
    const scaled = gates === null ? gradient : ops.multiply(gradient, gates);
    const result = ops.gatedQuantizeGradient(x!, scaled, options);
    pass.range(id, result.range);
    for (const [bits, inner] of result.levels) pass.level(id, bits, inner);
    if (gated === "weight" && options.wantsChannels) {
      pass.channels(id, ops.read(ops.sumPerChannel(ops.multiply(scaled, ops.gatedQuantize(x!, options)))));
    }
    return [result.gradient];
  },
};
