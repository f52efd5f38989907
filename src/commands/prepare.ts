import type { RunConfig } from "../config/schema.ts";
import type { Dataset } from "../data/dataset.ts";
import { loadDataset } from "../data/load-dataset.ts";
import { type Engine, loadEngine } from "../engine/load.ts";
import { createQuantizers } from "../methods/bayesian-bits.ts";
import { insertQuantizers } from "../methods/insert-quantizers.ts";
import type { Network } from "../network/graph.ts";
import { createNetwork } from "../network/zoo/index.ts";
import { createModel, type Model } from "../training/model.ts";
import { Trainer } from "../training/trainer.ts";
import type { Context } from "./context.ts";

/** Everything that a configuration stands for, ready to train, evaluate or export. */
export interface Prepared {
  readonly config: RunConfig;
  readonly engine: Engine;
  readonly dataset: Dataset;
  /** The network as it is in float32, without quantizers. */
  readonly plain: Network;
  readonly model: Model;
  readonly trainer: Trainer;
}

/** Loads engine and data, and builds the network with its quantizers at their start. */
export async function prepare(config: RunConfig, { reporter }: Pick<Context, "reporter">): Promise<Prepared> {
  const { kind, threads } = config.engine;
  const engine = await loadEngine({ kind, reporter, ...(threads !== undefined && { threads }) });
  const dataset = await loadDataset(config.data, { seed: config.seed, reporter });
  const { pruning, gates, prior } = config.method;
  const plain = createNetwork(config.network.name, { inputShape: dataset.imageShape, classes: dataset.classes.length });
  const network = insertQuantizers(plain, { pruning });
  const model = createModel(network, {
    ops: engine.ops,
    trainingOps: engine.atPrecision(config.engine.precision),
    seed: config.seed,
    quantizers: createQuantizers(network, { initial: gates.initial, prior: prior.kind }),
  });
  return { config, engine, dataset, plain, model, trainer: new Trainer(model, config.training) };
}
