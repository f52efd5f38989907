import { readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { UserError } from "../../src/core/errors.ts";
import type { Ops } from "../../src/engine/ops.ts";
import { checkReconstruction } from "./adaround/reconstruction.ts";
import { checkRoundingRegularizer } from "./adaround/regularizer.ts";
import { checkRounding } from "./adaround/rounding.ts";
import { checkScaleSearch } from "./adaround/scale-search.ts";
import { checkRoundingTrajectory } from "./adaround/trajectory.ts";
import { checkActivation } from "./bit-split/activation.ts";
import { checkResponse } from "./bit-split/response.ts";
import { checkWeights } from "./bit-split/weights.ts";
import type { Outcome } from "./compare.ts";
import { checkProductQuantizer } from "./dpq/quantizer.ts";
import { checkCodedTraining } from "./dpq/training.ts";
import { checkActions } from "./haq/actions.ts";
import { checkDdpg } from "./haq/ddpg.ts";
import { checkLinearQuantizer } from "./haq/linear-quantizer.ts";
import { checkBops, checkHardConcrete, checkRegularizer, checkSchedule } from "./host.ts";
import { checkCentroidSteps, checkDistillation } from "./ktb/centroid-steps.ts";
import { checkClustering } from "./ktb/clustering.ts";
import { checkSizes } from "./ktb/sizes.ts";
import { checkQuantizer } from "./quantizer.ts";
import { checkTrajectory } from "./trajectory.ts";

interface CheckOptions {
  /** Also what takes minutes. */
  readonly long: boolean;
}

type Checks = Readonly<Record<string, (content: unknown, ops: Ops, options: CheckOptions) => Outcome>>;

/** Checks of Bayesian Bits' figures, by file name. */
const bayesianBits: Checks = {
  "quantizer.json": checkQuantizer,
  "hard_concrete.json": checkHardConcrete,
  "regularizer.json": checkRegularizer,
  "lr_schedule.json": checkSchedule,
  "relative_bops.json": checkBops,
  "trajectory.json": checkTrajectory,
};

/** Those of other methods, by the name of their folder: the same file name means something else there. */
const methods: Readonly<Record<string, Checks>> = {
  adaround: {
    "rounding.json": checkRounding,
    "regularizer.json": checkRoundingRegularizer,
    "scale-search.json": checkScaleSearch,
    "trajectory.json": checkRoundingTrajectory,
    "reconstruction.json": checkReconstruction,
  },
  "bit-split": {
    "weights.json": checkWeights,
    "response.json": checkResponse,
    "activation.json": checkActivation,
  },
  dpq: {
    "sx.json": checkProductQuantizer,
    "vq.json": checkProductQuantizer,
    "embedding_training.json": checkCodedTraining,
  },
  ktb: {
    "sizes.json": checkSizes,
    "em_conv3x3_block9.json": checkClustering,
    "em_conv3x3_stride2_block18.json": checkClustering,
    "em_dense_block4.json": checkClustering,
    "em_empty_clusters.json": checkClustering,
    "em_pointwise_block4.json": checkClustering,
    "em_rank_deficient.json": checkClustering,
    "centroid_sgd.json": checkCentroidSteps,
    "distillation.json": checkDistillation,
  },
  haq: {
    "actions_and_budget.json": checkActions,
    "linear_quantizer.json": checkLinearQuantizer,
    "ddpg_update.json": checkDdpg,
  },
};

export interface FileOutcome extends Outcome {
  readonly file: string;
}

/** Checks every golden file of `folder` that is known by its folder and name. */
export function checkFolder(folder: string, ops: Ops, options: CheckOptions): readonly FileOutcome[] {
  const checks = methods[basename(resolve(folder))] ?? bayesianBits;
  const found = readdirSync(folder)
    .filter((name) => name in checks)
    .sort();
  if (found.length === 0)
    throw new UserError(`no golden file found in ${folder}: expected ${Object.keys(checks).join(", ")}`);
  return found.map((file) => {
    const { cases, failed, maxError } = checks[file]!(
      JSON.parse(readFileSync(join(folder, file), "utf8")),
      ops,
      options,
    );
    return { file, cases, failed, maxError };
  });
}
