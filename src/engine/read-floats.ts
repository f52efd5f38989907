import type { Ops, Tensor } from "./ops.ts";

/** Downloads a tensor that is known to hold float32. @throws TypeError where it does not. */
export function readFloats(ops: Pick<Ops, "read">, x: Tensor): Float32Array {
  const values = ops.read(x);
  if (values instanceof Float32Array) return values;
  throw new TypeError(`expected a tensor of float32, it is ${x.dtype}`);
}
