import { commentedYaml } from "../config/commented-yaml.ts";
import { countText } from "../core/count-text.ts";
import { timeText } from "../core/time-text.ts";
import { batchesPerEpoch } from "../data/batches.ts";
import { metricsText } from "../tasks/metric.ts";
import type { Proposal } from "./propose-run.ts";
import { stepText, targetsText } from "./texts.ts";

/** What was found and chosen, by what it is about. */
export function proposalLines(proposal: Proposal): readonly (readonly [about: string, text: string])[] {
  const { network, data, timing, batchSize, notes } = proposal;
  const { targets, trainImages, testImages, given } = data;
  const steps = batchesPerEpoch(trainImages, batchSize);
  return [
    ["network", networkText(network)],
    [
      "data",
      `${given}: ${countText(trainImages)} images to train on, ${countText(testImages)} to test on, ${targetsText(targets)}`,
    ],
    ...notes.map((note) => ["", note] as const),
    ["weights", answersText(proposal)],
    ["step", stepText(timing, batchSize, steps)],
    ["plan", planText(proposal)],
  ];
}

function networkText({ source, inputShape, outputs, layers, parameters, operators }: Proposal["network"]): string {
  const name = "file" in source ? source.file : `${source.name} of this program's own`;
  const nodes =
    operators === null
      ? ""
      : ` (${Object.entries(operators)
          .map(([name, count]) => `${name} ${count}`)
          .join(", ")})`;
  return `${name}: ${layers} layers, ${countText(parameters)} parameters, images of ${inputShape.join(" × ")} in, ${outputs} values out${nodes}`;
}

function answersText({ answers, plan }: Proposal): string {
  const first = plan.pretrainEpochs > 0 ? `: ${plan.pretrainEpochs} epochs in float32 come first` : "";
  if (answers === null) return `none yet${first}`;
  const { metrics, images, label, isTrained, description } = answers;
  const on = `${metricsText(description, metrics)} on ${images} training images`;
  return isTrained
    ? `useful: ${on}, pixels ${label}: training starts from them`
    : `of no use for these images: ${on} at best, however they are normalised, is chance${first}`;
}

function planText({ plan, budget }: Proposal): string {
  const { epochs, pretrainEpochs, seconds, isTooLong } = plan;
  const time = timeText(seconds);
  return isTooLong
    ? `adaround, 4-bit weights and 8-bit activations: training would take ${time}`
    : `bayesian-bits within ${budget} % of the bit operations, ${epochs + pretrainEpochs} epochs, about ${time} and the export`;
}

/** The configuration, with what every choice was made by. */
export function proposalText(
  proposal: Proposal,
  { command, next }: { readonly command: string; readonly next: string },
): string {
  const lines = proposalLines(proposal).map(([about, text]) => `${`${about}`.padEnd(9)}${text}`);
  return commentedYaml(proposal.settings, {
    header: [`Written by: ${command}`, ...lines, `Start it: ${next}`],
    comments: new Map([
      ["name", "of the run, and of its folder in reports"],
      ["data.folder", "seen from the folder that the program is started in, as all paths"],
      ["data.testShare", "of each class, set aside for tests: the folder has no part for them"],
      ["data.size", "what the network sees"],
      ["data.resize", "all of an image is shown; { fit: crop } would cut out its middle"],
      ["data.normalization", "of the usual ones that with which the file answers best"],
      ["data.batchSize", "images of a training step"],
      ["data.evaluationBatchSize", "as many as fit into memory"],
      [
        "method.prior.target",
        "percent of the bit operations in float32: 8 bits everywhere are 6.25, 4 bits 1.56, 2 bits 0.39",
      ],
      ["method.bits", "of weights 2, 3, 4 or 8"],
      ["training.pretrain", "first in float32: there are no useful weights yet"],
      ["training.epochs", "in which bits and channels are learned; more find better ones"],
      ["training.weights", "Adam"],
      ["training.gates", "what decides bits and channels; faster where there are few steps"],
    ]),
  });
}
