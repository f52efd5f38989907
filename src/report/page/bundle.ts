import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const bundleSchema = z.object({
  styles: z.string().min(1),
  script: z.string().min(1),
  /** Of a page that is served while its run goes on. */
  liveScript: z.string().min(1),
});

/** What `report/browser` has become: one style sheet and two scripts, which pages embed. */
export type PageBundle = Readonly<z.infer<typeof bundleSchema>>;

let known: PageBundle | null = null;

/** The bundle of this build. A program that runs from its sources bundles them anew, once in a process. */
export function pageBundle(): PageBundle {
  known ??= bundleSchema.parse(JSON.parse(bundleText()));
  return known;
}

function bundleText(): string {
  const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const isSource = import.meta.url.endsWith(".ts");
  return isSource
    ? execFileSync(process.execPath, [file("../../../scripts/page-bundle.mjs")], { encoding: "utf8" })
    : readFileSync(file("bundle.json"), "utf8");
}
