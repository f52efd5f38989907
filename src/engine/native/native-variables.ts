import { wholePower } from "../../core/powers.ts";
import { tuple } from "../../core/tuple.ts";
import type { Ops, Variable } from "../ops.ts";
import { dataTypes } from "./binding.ts";
import type { Executor } from "./executor.ts";
import { float } from "./kernel-attributes.ts";
import { handleOf, idOf, NativeTensor, NativeVariable } from "./native-tensor.ts";

type Variables = Pick<Ops, "variable" | "value" | "assign" | "dispose" | "adam" | "momentum">;

/** The shared name that makes a resource variable anonymous: each handle is a variable of its own. */
const ANONYMOUS = "cd2c89b7-88b7-44c8-ad83-06c2a9158347";

/** Resource variables, updated in place by one fused kernel each. */
export function variables(run: Executor): Variables {
  const { binding } = run;
  const dtype = { dtype: { dtype: dataTypes.float32 } };

  const update = (
    name: string,
    attributes: Parameters<Executor["kernel"]>[1],
    variable: Variable,
    ids: readonly number[],
  ): void => {
    const handle = handleOf(variable);
    binding.executeOp(name, run.kernel(name, attributes).attributes, [handle, ...ids], 0);
  };
  /** Runs `body` with `values` as scalars. */
  const withScalars = (values: readonly number[], body: (ids: readonly number[]) => void): void => {
    const scalars = values.map((value) => run.scalar(value));
    body(scalars.map(({ id }) => id));
    for (const scalar of scalars) run.release(scalar);
  };
  const assign = (variable: Variable, values: Float32Array): void => {
    // A copy: the engine reads the array in place, and the caller may change it.
    const id = binding.createTensor(variable.shape, dataTypes.float32, Float32Array.from(values));
    update("AssignVariableOp", dtype, variable, [id]);
    binding.deleteTensor(id);
  };

  return {
    variable(name, values, shape) {
      const attributes = [
        { name: "dtype", type: binding.TF_ATTR_TYPE, value: dataTypes.float32 },
        { name: "shape", type: binding.TF_ATTR_SHAPE, value: shape },
        { name: "container", type: binding.TF_ATTR_STRING, value: "" },
        { name: "shared_name", type: binding.TF_ATTR_STRING, value: ANONYMOUS },
      ];
      const [handle] = tuple(binding.executeOp("VarHandleOp", attributes, [], 1), 1);
      const variable = new NativeVariable(name, shape, handle.id);
      assign(variable, values);
      return variable;
    },
    value(variable) {
      const { attributes } = run.kernel("ReadVariableOp", dtype);
      const [read] = tuple(binding.executeOp("ReadVariableOp", attributes, [handleOf(variable)], 1), 1);
      return run.own(new NativeTensor(read.id, variable.shape, "float32"));
    },
    assign,
    dispose(variable) {
      update("DestroyResourceOp", { ignore_lookup_error: true }, variable, []);
      binding.deleteTensor(handleOf(variable));
    },
    adam(variable, [first, second], gradient, { beta1, beta2, learningRate, epsilon, step }) {
      const [power1, power2] = [wholePower(beta1, step), wholePower(beta2, step)];
      // TensorFlow adds epsilon to sqrt(v), PyTorch to sqrt(v / (1 - beta2^t)).
      const scalars = [power1, power2, learningRate, beta1, beta2, epsilon * Math.sqrt(1 - power2)];
      const moments = [handleOf(first), handleOf(second)];
      withScalars(scalars, (ids) => {
        const inputs = [...moments, ...ids, idOf(gradient)];
        update("ResourceApplyAdam", { ...float, use_locking: false, use_nesterov: false }, variable, inputs);
      });
    },
    momentum(variable, velocity, gradient, { learningRate, momentum, nesterov }) {
      withScalars([learningRate, momentum], (scalars) => {
        const [rate, factor] = tuple(scalars, 2);
        const inputs = [handleOf(velocity), rate, idOf(gradient), factor];
        update("ResourceApplyMomentum", { ...float, use_locking: false, use_nesterov: nesterov }, variable, inputs);
      });
    },
  };
}
