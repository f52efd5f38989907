import type { Environment, RunRecord } from "../../../runs/record.ts";
import { samplesOf } from "../../../runs/sample-words.ts";
import { duration, integer, moment } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { facts, type Section } from "../../page/section.ts";
import { table } from "../../page/table.ts";
import { configListing } from "./config-listing.ts";

/** Everything one needs to get the same network again. */
export function reproductionSection(record: RunRecord): Section {
  const { config, configHash, data } = record;
  return {
    id: "reproduce",
    title: "Reproduce this run",
    body: markup`<p>In the folder of this report, whose config.yaml is the configuration below with everything resolved:</p>
<pre class="command"><code>bayesian-bits train config.yaml --out ../again</code></pre>
<p class="note">The same configuration and seed give the same weights, byte for byte, on the same machine, engine and thread count.</p>
${environment(record)}
<h3>Configuration</h3>
<p class="note">SHA-256 <code>${configHash}</code>. Marked: what has another value than its default.</p>
<pre class="listing" tabindex="0" role="region" aria-label="Configuration"><code>${configListing(config)}</code></pre>
<h3>Data and files</h3>
<p>${foreign(data.name)}: ${integer(data.trainImages)} training, ${integer(data.validationImages)} validation and ${integer(data.testImages)} test ${samplesOf(data)} of ${data.imageShape.join(" × ")}${samplesOf(data) === "texts" && " tokens"}, ${targetsText(data.targets)}${record.task.judge && ", as the teacher has them"}.</p>
${fileTable(record)}`,
  };
}

function targetsText(targets: RunRecord["data"]["targets"]): string {
  switch (targets.kind) {
    case "classes":
      return `${targets.names.length} classes`;
    case "values":
      return targets.outputs === 1 ? "a value each" : `${targets.outputs} values each`;
    case "masks":
      return `a class of ${targets.names.length} for each pixel`;
    case "labels":
      return `${targets.names.length} labels`;
    case "none":
      return "without labels";
  }
}

function environment({ environment: at, laterEnvironments = [], seed, times }: RunRecord): Markup {
  return facts([
    ["Seed", markup`<code>${seed}</code>`],
    ...environmentFacts(at),
    ...laterEnvironments.flatMap((later) => [
      ["Continued elsewhere", foreign(`after epoch ${later.epoch}, step ${later.step}:`)] as const,
      ...environmentFacts(later),
    ]),
    ["Started", foreign(moment(times.startedAt), 40)],
    ["Ended", times.finishedAt === null ? "not yet" : foreign(moment(times.finishedAt), 40)],
    ["Computing time", duration(times.seconds)],
  ]);
}

const environmentFacts = (at: Environment): readonly (readonly [string, Markup | string])[] => [
  ["Program", foreign(`bayesian-bits ${at.version}`)],
  ["Node.js", foreign(at.node)],
  ["Engine", foreign(`${at.engine}, TensorFlow ${at.tensorflow}, ${at.device}`, 120)],
  ["Threads", integer(at.threads)],
  ["Processor", foreign(`${at.cpu} (${at.platform})`, 120)],
  ["Instruction sets", foreign(at.instructionSets.join(", ") || "not known", 200)],
];

function fileTable({ data, network, teacher }: RunRecord): Markup {
  return table<RunRecord["data"]["files"][number]>({
    id: "data-files",
    caption: "Files and their checksums",
    columns: [
      { title: "File", value: ({ name }) => name, show: ({ name }) => foreign(name) },
      { title: "Bytes", kind: "number", value: ({ bytes }) => bytes, show: ({ bytes }) => integer(bytes) },
      { title: "SHA-256", value: ({ sha256 }) => sha256, show: ({ sha256 }) => markup`<code>${sha256}</code>` },
    ],
    rows: [...(network.file ? [network.file] : []), ...(teacher ? [teacher] : []), ...data.files],
  });
}
