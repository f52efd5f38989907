import { UsageError } from "../../core/errors.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { Network } from "../../kinds/index.ts";
import { noPadding } from "../../kinds/windows.ts";
import { NetworkBuilder } from "../builder.ts";
import type { ZooOptions } from "./options.ts";
import { encoderBlock, layerNorm, placed } from "./transformer.ts";

export interface VitOptions {
  /** Rows and columns of the squares that an image is cut into. */
  readonly patch: number;
  /** Blocks. */
  readonly depth: number;
}

/** Units and heads of ViT-Ti. */
const tiny = { width: 192, heads: 3 } as const;

/**
 * Vision transformer (Dosovitskiy et al., 2020, arXiv 2010.11929) of DeiT-Ti's width and heads (Touvron et al., 2020, arXiv
 * 2012.12877), without its distillation token and dropped blocks. Before the patches stands a row of zeros for the class
 * token, to which its place adds it.
 *
 * @throws UsageError where patches do not fill the image.
 */
export function vitTiny({
  inputShape: [height, width, channels],
  classes,
  patch,
  depth,
  width: units = tiny.width,
  heads = tiny.heads,
}: ZooOptions & VitOptions & { readonly width?: number; readonly heads?: number }): Network {
  if (height % patch !== 0 || width % patch !== 0) {
    throw new UsageError(
      `network.patch: patches of ${patch}×${patch} do not fill images of ${height}×${width}: take a number that divides both sides`,
    );
  }
  const network = new NetworkBuilder();
  const rows = (height / patch) * (width / patch);
  const shaped = (id: string, x: NodeId, shape: readonly number[]) =>
    network.node({ kind: "reshape", id, inputs: [x], shape });
  const image = network.input([height, width, channels]);
  const patches = network.conv2d("patches", image, { kernel: patch, stride: patch, inputs: channels, outputs: units });
  const column = shaped("column", patches, [rows, 1, units]);
  const longer = network.node({
    ...{ kind: "pad", id: "class", inputs: [column], channels: [0, 0] },
    padding: { ...noPadding, top: 1 },
  });
  const options = { rows: rows + 1, width: units, heads, normalized: "before", epsilon: 1e-6 } as const;
  let x = placed(network, "positions", shaped("sequence", longer, [rows + 1, units]), [rows + 1, units]);
  for (let block = 1; block <= depth; block++) x = encoderBlock(network, `block${block}`, x, options);
  const normalized = layerNorm(network, "norm", x, options);
  const token = network.node({ kind: "slice", id: "token", inputs: [normalized], axis: 0, start: 0, size: 1 });
  const output = network.dense("fc", network.flatten("flatten", token), { inputs: units, outputs: classes });
  return network.build({ name: "vit-tiny", outputs: [output] });
}
