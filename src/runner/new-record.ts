import { configHash } from "../config/canonical.ts";
import type { TargetDescription } from "../data/targets.ts";
import { type RunRecord, recordVersion } from "../runs/record.ts";
import { describeNetwork, describeQuantizers } from "../training/record-entries.ts";
import type { Prepared } from "./prepare.ts";
import { environmentOf } from "./run-environment.ts";

/** The record of a run that is about to start. */
export function newRecord({ config, engine, dataset, task, networkFile, model, teaching }: Prepared): RunRecord {
  return {
    format: "bayesian-bits-run",
    version: recordVersion,
    name: config.name,
    status: "running",
    seed: config.seed,
    config,
    configHash: configHash(config),
    environment: environmentOf(engine.info),
    task: { name: task.name, ...task.description },
    data: {
      name: dataset.name,
      trainImages: dataset.train.count,
      validationImages: dataset.validation?.count ?? 0,
      testImages: dataset.test.count,
      imageShape: [...dataset.imageShape],
      ...(dataset.values && { values: true }),
      targets: recordedTargets(dataset.targets),
      files: dataset.files.map((file) => ({ ...file })),
      normalization: dataset.normalization && {
        mean: [...dataset.normalization.mean],
        deviation: [...dataset.normalization.deviation],
      },
      damaged: [],
    },
    network: { ...describeNetwork(model.network), file: networkFile },
    ...(teaching?.file && { teacher: { ...teaching.file } }),
    quantizers: describeQuantizers(model.network, model.quantizers),
    epochs: [],
    result: null,
    findings: null,
    exports: [],
    warnings: [],
    times: { startedAt: new Date().toISOString(), finishedAt: null, seconds: 0, epochSeconds: [], waitingForData: [] },
  };
}

/** Copies: a record's lists are its own. */
function recordedTargets(targets: TargetDescription): RunRecord["data"]["targets"] {
  switch (targets.kind) {
    case "classes":
    case "labels":
      return { ...targets, names: [...targets.names] };
    case "masks":
      return { ...targets, names: [...targets.names], size: [...targets.size] };
    case "values":
      return targets;
    case "none":
      return { kind: "none" };
  }
}

/** Damaged images of all sessions of a run: one that resumes does not read again what was read before. */
export const allDamaged = ({ data }: RunRecord, now: Pick<Prepared["dataset"], "damaged">): string[] =>
  [...new Set([...data.damaged, ...now.damaged()])].sort();
