import { z } from "zod";
import { settingsSchema } from "../config/schema.ts";
import { isTree } from "../config/source.ts";

/**
 * A run's configuration, as records and checkpoints hold it. Settings that came after the record was written have their
 * defaults; those that this version does not know are left out. What must hold between settings was asked when the run
 * began, and is not asked again.
 */
export const recordedConfig = z.preprocess(withoutUnknown, settingsSchema);

function withoutUnknown(config: unknown): unknown {
  const { error } = settingsSchema.safeParse(config);
  const known: unknown = structuredClone(config);
  for (const issue of error?.issues ?? []) {
    if (issue.code !== "unrecognized_keys") continue;
    const place = issue.path.reduce((tree, key) => (isTree(tree) ? tree[String(key)] : undefined), known);
    if (isTree(place)) for (const key of issue.keys) delete place[key];
  }
  return known;
}
