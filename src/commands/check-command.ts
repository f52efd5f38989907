import { join } from "node:path";
import { loadConfig } from "../config/load-config.ts";
import { countText } from "../core/count-text.ts";
import { timeText } from "../core/time-text.ts";
import { inGib } from "../memory/index.ts";
import { type CheckedRun, checkRun } from "../preview/check-run.ts";
import { stepText, targetsText } from "../preview/texts.ts";
import type { Context } from "./context.ts";

export interface CheckOptions {
  readonly config: string;
  readonly set: readonly string[];
  readonly out?: string;
}

/** `check`, and `train --dry-run`: all that can be known of a run beforehand; nothing is written. */
export async function runCheck({ config: path, set, out }: CheckOptions, context: Context): Promise<void> {
  const { json, print, reporter } = context;
  const { config } = loadConfig(path, { set: [...set] });
  const checked = await checkRun(config, { folder: out ?? join("reports", config.name), reporter });
  if (json) print(JSON.stringify(machineForm(checked)));
  else for (const [about, text] of checkedLines(checked)) print(`${about.padEnd(9)}${text}`);
}

/** What machines read: without the graph's nodes, which are many. */
function machineForm({ network: { graph: _, ...network }, ...checked }: CheckedRun) {
  return { ...checked, network };
}

type Line = readonly [about: string, text: string];

function checkedLines(checked: CheckedRun): readonly Line[] {
  const { name, folder, holds, environment, data, writes } = checked;
  const { engine, device, threads } = environment;
  const { targets, trainImages, validationImages, testImages } = data;
  const parts = [
    `${countText(trainImages)} to train on`,
    ...(validationImages > 0 ? [`${countText(validationImages)} held out`] : []),
    `${countText(testImages)} to test on`,
  ];
  const there = holds === null ? "" : `, which holds a run (${holds}): --resume goes on with it, --force replaces it`;
  return [
    ["run", `${name}, into ${folder}${there}`],
    ["engine", `${engine}, ${device}${threads === null ? "" : `, threads ${threads}`}`],
    ...networkLines(checked),
    ["data", `${data.name}: ${parts.join(", ")}, ${targetsText(targets)}`],
    ["method", methodText(checked)],
    ...memoryLines(checked),
    ...timeLines(checked),
    ...writes.map((path, index): Line => [index === 0 ? "writes" : "", path]),
  ];
}

function networkLines({ network }: CheckedRun): readonly Line[] {
  const { name, inputShape, parameters, macs, layers, products = [] } = network;
  const widest = Math.max(...[...layers, ...products].map((one) => one.name.length));
  return [
    [
      "network",
      `${name}: images of ${shape(inputShape)}, ${countText(parameters)} parameters, ${countText(macs)} MACs`,
    ],
    ...layers.map(
      (layer): Line => [
        "",
        `${layer.name.padEnd(widest)}  ${shape(layer.weightShape)} → ${shape(layer.outputShape)}, ${countText(layer.parameters)} parameters, ${countText(layer.macs)} MACs`,
      ],
    ),
    ...products.map(
      (product): Line => [
        "",
        `${product.name.padEnd(widest)}  product of activations → ${shape(product.outputShape)}, ${countText(product.macs)} MACs`,
      ],
    ),
  ];
}

function methodText({ method }: CheckedRun): string {
  if (method.name !== "bayesian-bits") return method.name;
  const { target, strength } = method.prior;
  if (target === undefined) return `${method.name}, prior strength ${strength}`;
  const budget =
    "relativeBops" in target ? `${target.relativeBops} % of the bit operations` : `${target.sizeBytes} bytes`;
  return `${method.name} within ${budget}`;
}

const memoryLines = ({ memory: { available, stages } }: CheckedRun): readonly Line[] =>
  stages.map(({ what, likely, atMost }, index): Line => {
    const most = atMost > likely ? `, at most ${inGib(atMost)}` : "";
    return [
      index === 0 ? "memory" : "",
      `${inGib(likely)} for ${what}${most}${index === 0 ? ` (${inGib(available)} are free)` : ""}`,
    ];
  });

function timeLines({ time }: CheckedRun): readonly Line[] {
  if (time === null) return [["time", "not known beforehand: layers are quantized one by one"]];
  const { batchSize, stepsPerEpoch, epochs, seconds } = time;
  return [
    ["step", stepText(time, batchSize, stepsPerEpoch)],
    ["time", `${epochs} epochs in about ${timeText(seconds)}, and the export`],
  ];
}

const shape = (sizes: readonly number[]): string => sizes.join(" × ");
