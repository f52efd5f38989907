import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

const bin = t.testdir();
const program = join(bin, "bayesian-bits");
writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(process.cwd(), "dist/main.js")}' "$@"\n`);
chmodSync(program, 0o755);
const bash = spawnSync("bash", ["--version"]).error === undefined;

/** What Debian's bash-completion brings, as far as the script uses it: the words of the line, and the one at the cursor. */
const wordsOfLine = `_get_comp_words_by_ref() { words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=\${COMP_WORDS[COMP_CWORD]}; }`;

/** What bash offers for a line, the cursor at its end. */
function offered(...words: string[]): string[] {
  const script = [
    wordsOfLine,
    `source <(bayesian-bits completion bash)`,
    `COMP_WORDS=(${["bayesian-bits", ...words].map((word) => `'${word}'`).join(" ")})`,
    `COMP_CWORD=${words.length}; COMP_LINE="\${COMP_WORDS[*]}"; COMP_POINT=\${#COMP_LINE}`,
    `__bayesian_bits_complete`,
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join("\n");
  const { stdout, stderr, status } = spawnSync("bash", ["-c", script], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

t.test("bash completes commands, options and their values", { skip: bash ? false : "no bash here" }, async (t) => {
  t.strictSame(offered("qu"), ["quantize"]);
  t.ok(offered("train", "--res").some((line) => line.startsWith("--resume")));
  const methods = offered("quantize", "--method", "");
  for (const method of ["nearest", "adaround", "bit-split"])
    t.ok(
      methods.some((line) => line.startsWith(method)),
      `${methods}`,
    );
});
