import { z } from "zod";
import { listOf } from "../core/list-schema.ts";
import { agreementOf } from "../tasks/classification/class-agreement.ts";
import { describeClassification } from "../tasks/classification/description.ts";
import { withFoldedParameters } from "./folded-parameters.ts";
import { type RunRecord, recordSchema, recordVersion } from "./record.ts";

const finite = z.number();
const percent = z.number().min(0).max(100);

/** What is another in records of version 1: they are of classifiers, and say so in every figure's name. */
const classifierRecord = z.looseObject({
  data: z.looseObject({ classes: z.array(z.string()) }),
  epochs: listOf(
    z.looseObject({
      train: z.looseObject({ crossEntropy: finite, top1: percent }),
      evaluation: z.looseObject({ crossEntropy: finite, top1: percent }),
    }),
  ),
  postTraining: z.looseObject({ floatTop1: percent }).optional(),
  result: z
    .looseObject({ top1: percent, crossEntropy: finite, sampledTop1: percent, confusion: z.unknown() })
    .nullable(),
  analysis: z.looseObject({ calibration: z.unknown(), worst: z.unknown() }).nullish(),
  export: z
    .looseObject({
      verification: z
        .looseObject({
          top1: percent,
          trainerTop1: percent,
          sameClass: percent,
          nearTies: z.int().nonnegative().optional(),
        })
        .nullable(),
    })
    .nullable(),
});

/** A record of version 1 as one of version 2, unchecked where nothing changes. */
const fromClassifier = classifierRecord.transform(
  ({ data: { classes, ...data }, epochs, postTraining, result, analysis, export: exported, ...rest }): unknown => ({
    ...rest,
    version: 2,
    task: { name: "classification", ...describeClassification(classes.length) },
    data: { ...data, targets: { kind: "classes", names: classes } },
    epochs: epochs.map(({ train, evaluation, ...epoch }) => ({
      ...epoch,
      train: withTop1(train),
      evaluation: withTop1(evaluation),
    })),
    ...(postTraining && { postTraining: floatWithTop1(postTraining) }),
    result: result && resultWithTop1(result),
    findings: result && {
      task: "classification",
      confusion: result.confusion,
      calibration: analysis?.calibration,
      worst: analysis?.worst,
    },
    analysis,
    export: exported && {
      ...exported,
      verification: exported.verification && verificationWithTop1(exported.verification),
    },
  }),
);

type Classifier = z.infer<typeof classifierRecord>;

const withTop1 = ({ top1, crossEntropy, ...rest }: { readonly top1: number; readonly crossEntropy: number }) => ({
  ...rest,
  taskLoss: crossEntropy,
  metrics: { top1 },
});

const floatWithTop1 = ({ floatTop1, ...rest }: NonNullable<Classifier["postTraining"]>) => ({
  ...rest,
  floatMetrics: { top1: floatTop1 },
});

const resultWithTop1 = ({ sampledTop1, confusion: _, ...rest }: NonNullable<Classifier["result"]>) => ({
  ...withTop1(rest),
  sampledMetrics: { top1: sampledTop1 },
});

const verificationWithTop1 = ({
  top1,
  trainerTop1,
  sameClass,
  nearTies,
  ...rest
}: NonNullable<NonNullable<Classifier["export"]>["verification"]>) => ({
  ...rest,
  metrics: { top1 },
  trainerMetrics: { top1: trainerTop1 },
  agreement: agreementOf(sameClass, nearTies),
});

/** What is another in records of version 2: they know of one exported file. */
const oneExport = z
  .looseObject({ export: z.unknown().optional() })
  .transform(({ export: exported, ...rest }): unknown => ({
    ...rest,
    version: recordVersion,
    ...(exported !== undefined && { exports: exported === null ? [] : [exported] }),
  }));

/** What makes a record of this version of one of an earlier one. */
const migrations = [fromClassifier.pipe(oneExport), oneExport] as const;

/** A record of any version up to this one, as one of this version. */
export const storedRecord = z.unknown().transform((value, context): RunRecord => {
  const { version } = z.object({ version: z.int() }).catch({ version: recordVersion }).parse(value);
  const migration = migrations[version - 1];
  const parsed = (migration === undefined ? recordSchema : migration.pipe(recordSchema)).safeParse(value);
  if (parsed.success) return withFoldedParameters(parsed.data);
  for (const { path, message } of parsed.error.issues)
    context.issues.push({ code: "custom", input: value, path, message });
  return z.NEVER;
});
