import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { loadConfig } from "../../src/config/load-config.ts";
import type { RunConfig } from "../../src/config/schema.ts";
import { integer } from "../../src/report/page/format.ts";
import { markdownTable } from "../markdown-table.ts";

/** What a configuration's header says where its run was not waited for. */
const mark = "not run to the end here";
/** What `npm run bench -- --json` prints, a line for each network and case. */
const stepTimes = "reports/step-times.ndjson";

const stepTime = z.object({ network: z.string(), batch: z.int(), case: z.string(), medianMs: z.number() });

/** Images of the training sets; a folder is ImageNet (Russakovsky et al. 2015) in these configurations. */
const trainingImages: Readonly<Record<string, number>> = { cifar10: 50_000, folder: 1_281_167 };

/**
 * What the configurations that nobody waited for would cost here: a measured step, and from its time for each image that
 * of all epochs.
 */
export function unfinishedTable(project = "."): string {
  const lines = readFileSync(join(project, stepTimes), "utf8").trimEnd().split("\n");
  const measured = lines.map((line) => stepTime.parse(JSON.parse(line)));
  // Configurations that cost the same are one row.
  const rows = new Map<string, { readonly cells: readonly string[]; readonly configs: string[] }>();
  for (const { name, config } of unfinished(join(project, "configs"))) {
    const { network, data, method, training } = config;
    const images = trainingImages[data.name];
    const step = measured.find(
      (step) => "name" in network && step.network === network.name && step.case === caseOf(method.name),
    );
    if (images === undefined || step === undefined) throw new Error(`${stepTimes}: no step of ${name}`);
    const epochs = training.epochs + (training.pretrain?.epochs ?? 0) + (training.finetune?.epochs ?? 0);
    const hours = ((step.medianMs / step.batch) * images * epochs) / 3.6e6;
    const cells = [
      `${step.network} on ${data.name === "folder" ? "ImageNet" : data.name}`,
      `${integer(step.medianMs)} ms for ${step.batch} images`,
      `${integer(epochs)} epochs of ${integer(images)} images`,
      hours < 96 ? `${integer(hours)}\u202fh` : `${integer(hours / 24)} days`,
    ];
    const row = rows.get(cells.join()) ?? { cells, configs: [] };
    row.configs.push(`[${name}](../configs/${name}.yaml)`);
    rows.set(cells.join(), row);
  }
  return markdownTable(
    ["configurations", "network", "measured step", "training", "extrapolated"],
    [...rows.values()].map(({ cells, configs }) => [configs.join(", "), ...cells]),
  );
}

/** The case of the benchmark with a step at least as dear as any of this method. */
const caseOf = (method: string): string => (method === "fp32" ? "fp32" : "quantized-2-32");

function unfinished(folder: string): readonly { readonly name: string; readonly config: RunConfig }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml") && readFileSync(join(folder, file), "utf8").includes(mark))
    .toSorted()
    .map((file) => ({ name: file.replace(/\.yaml$/, ""), config: loadConfig(join(folder, file)).config }));
}
