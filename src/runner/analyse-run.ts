import { elementsOf } from "../graph/shape.ts";
import type { Analysis, Sensitivity } from "../runs/analysis.ts";
import { analyse } from "../training/analysis/analyse.ts";
import { holdImages } from "../training/analysis/held-images.ts";
import { measureSensitivity, triedChanges } from "../training/analysis/measure-sensitivity.ts";
import { epochsOf } from "../training/phases.ts";
import type { Prepared } from "./prepare.ts";
import type { RunContext } from "./run-context.ts";

/** A training step computes some three times what an evaluation does: forwards, and back by inputs and by weights. */
const stepsForwards = 3;

/** Bytes of pixels that are held at most. */
const heldBytes = 32 * 2 ** 20;

/** Of fewer images the metrics say nothing. */
const fewestImages = 32;

interface AnalysisHooks extends Pick<RunContext, "reporter"> {
  /** Called between two batches; throws to end there. */
  pause(): Promise<void>;
}

/** What only the trained network can tell of itself, for the record: a function of configuration and network. */
export async function analyseRun(prepared: Prepared, hooks: AnalysisHooks): Promise<Analysis> {
  const { model, dataset } = prepared;
  const analysis = analyse(model, dataset);
  const sensitivity = await sensitivityOf(prepared, hooks);
  return sensitivity === null ? analysis : { ...analysis, sensitivity };
}

/** Null where it is not asked for, nothing is on a grid, or too few images would have to do. */
async function sensitivityOf(prepared: Prepared, { reporter, pause }: AnalysisHooks): Promise<Sensitivity | null> {
  const { config, dataset, task, trainer, method } = prepared;
  // What is in a codebook lies on no grid, of which there would be another width.
  const changes = method.clustering ? 0 : triedChanges(trainer.inPhase).length;
  const most = changes === 0 ? 0 : affordableImages(prepared, 1 + changes);
  if (most < fewestImages) return null;
  const { progress } = reporter;
  progress.start("measuring sensitivity", changes);
  try {
    const images = await holdImages(dataset, {
      ...{ most, seed: config.seed, pause },
      batchSize: config.data.evaluationBatchSize,
    });
    return await measureSensitivity(trainer.inPhase, {
      ...{ task, images, normalization: dataset.normalization, pause },
      progress: (done) => progress.update(done),
    });
  } finally {
    progress.stop();
  }
}

/** How many images so many evaluations may take: by the settings, by memory, and by what the run has computed. */
function affordableImages({ config, dataset, method, phases }: Prepared, evaluations: number): number {
  const { sensitivity } = config.report;
  if (sensitivity === false) return 0;
  const trained = epochsOf(phases) * dataset.train.count * stepsForwards;
  return Math.min(
    sensitivity.images,
    Math.floor(heldBytes / elementsOf(dataset.imageShape)),
    method.layerwise?.calibration.images ?? Math.floor((sensitivity.share * trained) / evaluations),
  );
}
