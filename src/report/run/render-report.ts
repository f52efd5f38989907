import type { RunRecord } from "../../runs/record.ts";
import { duration, integer, moment } from "../page/format.ts";
import { pageText } from "../page/html-page.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import { findingsSection } from "./findings/index.ts";
import { learnsGates } from "./learns-gates.ts";
import { baselineTable } from "./sections/baselines-section.ts";
import { bitOperationSection } from "./sections/bit-operations-section.ts";
import { bitWidthSection } from "./sections/bit-widths-section.ts";
import { codebooksSection } from "./sections/codebooks-section.ts";
import { codesSection } from "./sections/codes-section.ts";
import { exportSection } from "./sections/export-section.ts";
import { gateSection } from "./sections/gates-section.ts";
import { hardwareSection } from "./sections/hardware-section.ts";
import { headline } from "./sections/headline-section.ts";
import { layerwiseSection } from "./sections/layerwise-section.ts";
import { rangeSection } from "./sections/ranges-section.ts";
import { reproductionSection } from "./sections/reproduction-section.ts";
import { searchSection } from "./sections/search-section.ts";
import { sensitivitySection } from "./sections/sensitivity-section.ts";
import { trainingSection } from "./sections/training-section.ts";
import { warningSection } from "./sections/warnings-section.ts";
import { weightSection } from "./sections/weights-section.ts";

export interface ReportOptions {
  /** Runs that this one is held against, as FP32 or fixed bit-widths. */
  readonly baselines?: readonly RunRecord[];
  /** Makes the page that is served while the run goes on, and follows it: a number that grows with each state. */
  readonly liveVersion?: number;
}

/**
 * The report of a run as one HTML file, made from the record alone. It loads nothing from anywhere, and the same
 * record gives the same bytes. A run without a result gives a page with what there is.
 */
export function renderReport(record: RunRecord, { baselines = [], liveVersion }: ReportOptions = {}): string {
  const warnings = warningSection(record);
  const codebooks = codebooksSection(record);
  const layerwise = layerwiseSection(record);
  const codes = codesSection(record);
  const search = searchSection(record);
  const sensitivity = sensitivitySection(record);
  const weights = weightSection(record);
  return pageText({
    title: `${record.name} · Bayesian Bits`,
    header: markup`${header(record, baselines)}${baselineTable(record, baselines)}`,
    sections: [
      ...(warnings ? [warnings] : []),
      bitWidthSection(record),
      bitOperationSection(record),
      ...(codes ? [codes] : []),
      ...(search ? [search] : []),
      ...(sensitivity ? [sensitivity] : []),
      exportSection(record),
      hardwareSection(record),
      ...(learnsGates(record) ? [gateSection(record)] : []),
      ...(codebooks ? [codebooks] : []),
      ...(codebooks && record.config.training.epochs === 0 ? [] : [layerwise ?? trainingSection(record)]),
      ...(weights ? [weights] : []),
      ...(layerwise || codebooks || record.quantizers.length === 0 ? [] : [rangeSection(record)]),
      findingsSection(record),
      reproductionSection(record),
    ],
    footer: markup`Made from the run’s record by ${foreign(`bayesian-bits ${record.environment.version}`)}. Percentages of bit operations are relative to the same network with 32-bit weights and activations.`,
    liveVersion,
  });
}

function header(record: RunRecord, baselines: readonly RunRecord[]): Markup {
  const { name, network, data, status, seed, times } = record;
  const when = times.finishedAt === null ? `started ${moment(times.startedAt)}` : moment(times.finishedAt);
  return markup`<p class="kind">Bayesian Bits run report</p>
<h1>${foreign(name, 120)}</h1>
<p class="about">${foreign(network.name, 40)} on ${foreign(data.name, 40)} · <span class="status">${status}</span>${times.finishedAt === null && ","} ${foreign(when, 48)} · ${work(record)} in ${duration(times.seconds)} · seed\u00a0${seed}</p>
${record.task.judge && markup`<p class="about">The data has no labels: what the teacher, ${teacherName(record)}, says of it counts as right.</p>`}
${record.result === null && unfinishedBanner(record)}
${headline(record, baselines)}`;
}

/** A file, or the network that a run began with. */
const teacherName = ({ teacher }: RunRecord): Markup =>
  teacher == null ? markup`the same network in float32` : foreign(teacher.name, 60);

function work({ epochs, postTraining, codebooks }: RunRecord): string {
  const { layers } = postTraining ?? (epochs.length === 0 ? codebooks : undefined) ?? {};
  const [count, what] = layers ? [layers.length, "layer"] : [epochs.length, "epoch"];
  return `${integer(count)} ${what}${count === 1 ? "" : "s"}`;
}

function unfinishedBanner(record: RunRecord): Markup {
  const { pretrain, epochs, finetune } = record.config.training;
  const planned = (pretrain?.epochs ?? 0) + epochs + (finetune?.epochs ?? 0);
  const last = record.epochs.at(-1);
  const story = {
    running: "This run has not finished.",
    stopped: "This run was stopped before its end; it can be resumed.",
    failed: "This run failed before its end.",
    finished: "This run has finished, but its record holds no result.",
  }[record.status];
  return markup`<p class="banner">${story} ${
    last
      ? `The figures are those after epoch ${integer(last.epoch)} of ${integer(planned)}.`
      : `No ${record.postTraining || record.codebooks ? "result" : "epoch"} is finished yet, so there are no figures.`
  }</p>`;
}
