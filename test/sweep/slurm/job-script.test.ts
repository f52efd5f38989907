import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { slurm } from "../../../src/config/sections/slurm-settings.ts";
import { quoted } from "../../../src/core/shell-word.ts";
import { jobScript, submission } from "../../../src/sweep/slurm/job-script.ts";

t.test("a shell reads any word as it is", async (t) => {
  // A process's arguments hold no zero byte, and echo would add a line's end.
  const word = fc.string({ unit: "grapheme", maxLength: 30 }).filter((text) => !text.includes("\0"));
  const law = fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
    const script = `for word in ${words.map(quoted).join(" ")}; do printf '%s\\0' "$word"; done`;
    const said = execFileSync("bash", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
    return JSON.stringify(said) === JSON.stringify(words);
  });
  t.doesNotThrow(() => fc.assert(law, { seed: 2, numRuns: 15 }));
});

t.test("each task becomes its run, which writes its log", async (t) => {
  const folder = join(t.testdir(), "it's a $(sweep) %j");
  mkdirSync(join(folder, "logs"), { recursive: true });
  const job = {
    name: "job",
    folder,
    tasks: [
      { run: "one", command: ["echo", "first"] },
      { run: "two", command: ["echo", "second 'run' $HOME"] },
    ],
    workingFolder: "/work in",
    slurm: slurm.parse({
      cpus: 2,
      gpus: "a100:1",
      time: "1-02:00:00",
      memoryGiB: 1.5,
      concurrency: 3,
      options: ["--qos=a b"],
    }),
  };
  execFileSync("bash", ["-c", jobScript(job)], { env: { ...process.env, SLURM_ARRAY_TASK_ID: "1" } });
  t.equal(readFileSync(join(folder, "logs", "two.log"), "utf8"), "second 'run' $HOME\n");
  const args = submission(job);
  for (const expected of [
    "--array=0-1%3",
    "--chdir=/work in",
    "--signal=B:TERM@60",
    "--requeue",
    "--cpus-per-task=2",
    "--gres=gpu:a100:1",
    "--time=1-02:00:00",
    "--mem=1536M",
    "--qos=a b",
  ])
    t.ok(args.includes(expected), expected);
  t.ok(
    args.some((option) => option.endsWith("it's a $(sweep) %%j/slurm/%A_%a.log")),
    "% in a folder is no pattern",
  );
});

t.test("modules are loaded first, and a missing one ends the task", async (t) => {
  const script = jobScript({
    name: "job",
    folder: "/f",
    tasks: [{ run: "a", command: ["true"] }],
    workingFolder: "/",
    slurm: slurm.parse({ modules: ["cuda/12.4"] }),
  });
  t.match(script, /^#!\/bin\/bash -l\nmodule load 'cuda\/12.4' \|\| exit 1\ncase/);
});
