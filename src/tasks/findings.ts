import { z } from "zod";
import { classificationFindings } from "./classification/findings.ts";

/** What is found of a trained network on the test set, with test-time gates, by task. */
export const findingsSchema = z.discriminatedUnion("task", [classificationFindings]);

export type Findings = z.infer<typeof findingsSchema>;
