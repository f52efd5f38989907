import type { NodeId, Shape } from "../../graph/graph.ts";
import type { NetworkBuilder } from "../builder.ts";

/** Every pixel of an image [height, width, channels] four times, which is the nearest one of an image twice as large. */
export function twiceAsLarge(
  network: NetworkBuilder,
  id: string,
  x: NodeId,
  [height, width, channels]: readonly [height: number, width: number, channels: number],
): NodeId {
  const shaped = (part: string, from: NodeId, shape: Shape) =>
    network.node({ kind: "reshape", id: `${id}.${part}`, inputs: [from], shape });
  const beside = network.concat(`${id}.beside`, [x, x]);
  const rows = shaped("rows", beside, [height, 2 * width * channels]);
  const below = network.concat(`${id}.below`, [rows, rows]);
  return shaped("pixels", below, [2 * height, 2 * width, channels]);
}
