import type { Ops, Tensor } from "../engine/ops.ts";
import type { Loss } from "./task.ts";

/** `share` of one loss and the rest of another. */
export function mixed(ops: Ops, share: number, [one, other]: readonly [Loss, Loss]): Loss {
  const [own, rest] = [ops.tensor(Float32Array.of(share), []), ops.tensor(Float32Array.of(1 - share), [])];
  const mix = (one: Tensor, other: Tensor) => ops.add(ops.multiply(one, own), ops.multiply(other, rest));
  return { loss: mix(one.loss, other.loss), gradient: mix(one.gradient, other.gradient) };
}
