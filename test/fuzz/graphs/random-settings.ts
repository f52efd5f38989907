import type { QuantizeSettings } from "../../../src/config/quantize-schema.ts";
import type { Draw } from "./draw.ts";

/** Any way of quantizing a file; where there are no samples, weights alone. */
export function randomSettings(draw: Draw, file: string, samples: string | null): QuantizeSettings {
  const network = { file };
  const weights = draw.pick([2, 3, 4, 8] as const);
  const skip = draw.chance(0.15) ? [draw.pick(["*Conv*", "/*", "gemm*", "*inner*"])] : [];
  const layers = draw.chance(0.15) ? { [draw.pick(["*matmul*", "*Gemm*", "*"])]: draw.pick([2, 8] as const) } : {};
  const shared = { network, skip, export: { saturation: draw.pick(["avoid", "allow"] as const) } };
  const granularity = draw.pick(["channel", "channel", "tensor", "block:32"] as const);
  if (samples === null) return { ...shared, bits: { weights, layers }, method: { name: "nearest", granularity } };
  const data = { samples };
  const activations = draw.pick([8, 16, 32] as const);
  const method = draw.pick(["nearest", "nearest", "bit-split", "adaround"] as const);
  const ways = {
    nearest: { name: method, granularity },
    "bit-split": { name: method },
    adaround: { name: method, iterations: 3, granularity: draw.pick(["channel", "tensor"] as const) },
  };
  const budget = draw.pick([
    { relativeBytes: draw.pick([8, 15, 25]) },
    { averageBits: 4 },
    { bytes: draw.int(500, 9000) },
    { relativeBops: draw.pick([2, 4, 9]) },
  ]);
  // Left out, a budget of bit operations chooses them.
  const given = "relativeBops" in budget && draw.chance(0.7) ? {} : { activations };
  const way = ways[method];
  const byChannel = !("granularity" in way) || way.granularity === "channel";
  const widths = byChannel ? draw.pick(["tensor", "channel", { group: 4 }] as const) : "tensor";
  const bits = draw.chance(0.25) ? { budget, granularity: widths, ...given, layers } : { weights, activations, layers };
  return { ...shared, data, bits, method: way };
}
