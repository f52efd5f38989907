import { UserError } from "../core/errors.ts";
import { elementsOf } from "../graph/shape.ts";
import type { StoredTensor } from "../runs/safetensors.ts";
import type { Model } from "./model.ts";

/**
 * Takes weights and running statistics over from a snapshot of another run of the same network, whatever its method.
 *
 * @throws UserError that names a tensor that is missing or has another size.
 */
export function takeWeights(
  { ops, parameters, statistics }: Pick<Model, "ops" | "parameters" | "statistics">,
  tensors: ReadonlyMap<string, StoredTensor>,
  source: string,
): void {
  const take = (name: string, length: number): Float32Array => {
    const values = tensors.get(name)?.values;
    if (values?.length === length) return Float32Array.from(values);
    const found = values === undefined ? "it is not there" : `it has ${values.length}`;
    throw new UserError(
      `cannot start from ${source}: ${name} should have ${length} numbers, ${found}; is it a run of the same network?`,
    );
  };
  for (const [id, variable] of parameters) {
    const length = elementsOf(variable.shape);
    ops.assign(variable, take(`parameter/${id}`, length));
  }
  for (const [id, { mean, variance }] of statistics) {
    mean.set(take(`statistics/mean/${id}`, mean.length));
    variance.set(take(`statistics/variance/${id}`, variance.length));
  }
}
