import type { Ops, Precision } from "../ops.ts";
import type { Binding } from "./binding.ts";
import { classification } from "./classification.ts";
import { convolutions } from "./convolution.ts";
import { elementwise } from "./elementwise.ts";
import { Executor } from "./executor.ts";
import { images } from "./images.ts";
import type { NativeTensor } from "./native-tensor.ts";
import { normalization } from "./normalization.ts";
import { pooling } from "./pooling.ts";
import { quantization } from "./quantization.ts";
import { variables } from "./variables.ts";

/**
 * Raw TensorFlow kernels through the binding, chosen by measurement: see ARCHITECTURE.md. The objects that `atPrecision`
 * gives share tensors, variables and scopes.
 */
export function createNativeOps(binding: Binding): { readonly atPrecision: (precision: Precision) => Ops } {
  const run = new Executor(binding);
  const shared = {
    ...memory(run),
    ...pooling(run),
    ...images(run),
    ...normalization(run),
    ...elementwise(run),
    ...quantization(run),
    ...classification(run),
    ...variables(run),
  };
  return { atPrecision: (precision) => ({ ...shared, ...convolutions(run, precision) }) };
}

/** Tensors in and out of the engine, and when they are freed. */
function memory(run: Executor): Pick<Ops, "tensor" | "read" | "scalar" | "scope" | "release" | "liveTensors"> {
  const read: Ops["read"] = (x) => run.binding.tensorDataSync((x as NativeTensor).id);
  return {
    tensor: (values, shape) => run.create(values, shape),
    read,
    scalar: (x) => read(x)[0]!,
    scope: (body, keep) => run.scope(body, keep),
    release: (x) => run.release(x),
    liveTensors: () => run.binding.getNumOfTensors(),
  };
}
