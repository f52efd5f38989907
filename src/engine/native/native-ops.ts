import { first } from "../../core/elements.ts";
import { composedQuantizer } from "../composed-quantizer.ts";
import type { Extensions } from "../extensions.ts";
import type { Ops, Precision } from "../ops.ts";
import type { Binding } from "./binding.ts";
import { Executor } from "./executor.ts";
import { fusedDepthwise } from "./fused-depthwise.ts";
import { fusedNonlinearities } from "./fused-nonlinear.ts";
import { fusedNorm } from "./fused-norm.ts";
import { fusedQuantizer } from "./fused-quantizer.ts";
import { classification } from "./native-classification.ts";
import { convolutions } from "./native-convolution.ts";
import { elementwise } from "./native-elementwise.ts";
import { images } from "./native-images.ts";
import { leastSquares } from "./native-least-squares.ts";
import { nonlinearities } from "./native-nonlinear.ts";
import { normalization } from "./native-normalization.ts";
import { pooling } from "./native-pooling.ts";
import { quantization } from "./native-quantization.ts";
import { rounding } from "./native-rounding.ts";
import { rows } from "./native-rows.ts";
import { softmax } from "./native-softmax.ts";
import { variables } from "./native-variables.ts";

/**
 * Raw TensorFlow kernels through the binding, chosen by measurement: see docs/engine.md. The objects that `atPrecision`
 * gives share tensors, variables and scopes.
 */
export function createNativeOps(binding: Binding): { readonly atPrecision: (precision: Precision) => Ops } {
  const run = new Executor(binding);
  const composed = nonlinearities(run);
  const basic = { ...memory(run), ...elementwise(run), ...quantization(run) };
  const shared = {
    ...basic,
    ...(fusedQuantizer(run) ?? composedQuantizer(basic)),
    ...pooling(run),
    ...images(run),
    ...normalization(run),
    ...fusedNorm(run),
    ...(fusedNonlinearities(run, composed) ?? composed),
    ...rows(run),
    ...classification(run),
    ...variables(run),
  };
  const extensions: Extensions = { leastSquares: leastSquares(run), rounding: rounding(run), softmax: softmax(run) };
  const extension: Ops["extension"] = (name) => extensions[name];
  const depthwise = fusedDepthwise(run);
  return {
    atPrecision: (precision) => ({
      ...shared,
      ...convolutions(run, precision, shared),
      ...(precision === "float32" && depthwise),
      extension,
    }),
  };
}

/** Tensors in and out of the engine, and when they are freed. */
function memory(run: Executor): Pick<Ops, "tensor" | "read" | "scalar" | "scope" | "release" | "liveTensors"> {
  return {
    tensor: (values, shape) => run.create(values, shape),
    read: (x) => run.read(x),
    scalar: (x) => first(run.read(x)),
    scope: (body, keep) => run.scope(body, keep),
    release: (x) => run.release(x),
    liveTensors: () => run.binding.getNumOfTensors(),
  };
}
