import type { RunConfig } from "../config/schema.ts";
import type { Network } from "../kinds/index.ts";
import { type ImageCounts, memoryStages } from "../memory/index.ts";
import { createMethod } from "../methods/create-method.ts";
import { plainOf } from "../methods/method.ts";

/** Share of the free memory that a first run may take: others are there too. */
const SHARE = 0.5;

/** A configuration with batches as large as it has them, or as memory lets them be: halved until they fit. */
export function fitBatches(
  config: RunConfig,
  {
    network,
    images,
    available,
  }: { readonly network: Network; readonly images: ImageCounts; readonly available: number },
): Pick<RunConfig["data"], "batchSize" | "evaluationBatchSize"> {
  const method = createMethod(config.method, config.seed);
  const prepared = method.prepare(plainOf(method, network));
  const fits = (data: RunConfig["data"], what: string) =>
    memoryStages({ data }, { network: prepared, method, images }).every(
      (stage) => stage.what !== what || stage.atMost <= SHARE * available,
    );
  let { data } = config;
  while (data.batchSize > 1 && !fits(data, "training")) data = { ...data, batchSize: Math.ceil(data.batchSize / 2) };
  while (data.evaluationBatchSize > 1 && !fits(data, "evaluation"))
    data = { ...data, evaluationBatchSize: Math.ceil(data.evaluationBatchSize / 2) };
  return { batchSize: data.batchSize, evaluationBatchSize: data.evaluationBatchSize };
}
