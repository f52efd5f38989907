import type { TaskName } from "../../../config/sections/task-settings.ts";
import type { RunRecord } from "../../../runs/record.ts";
import type { Section } from "../../page/section.ts";
import { classificationSection } from "./classification-findings.ts";
import { labelSection } from "./multi-label-findings.ts";
import { reconstructionSection } from "./reconstruction-section.ts";
import { regressionSection } from "./regression-findings.ts";
import { segmentationSection } from "./segmentation-section.ts";

const sections: { readonly [Name in TaskName]: (record: RunRecord) => Section } = {
  classification: classificationSection,
  regression: regressionSection,
  "multi-label": labelSection,
  reconstruction: reconstructionSection,
  segmentation: segmentationSection,
};

/** What the task has found of the trained network on the test set. */
export const findingsSection = (record: RunRecord): Section => sections[record.task.name](record);
