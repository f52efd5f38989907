import t from "tap";
import { programWords } from "../../src/core/program-words.ts";

t.test("the next command is started as this one was", { skip: process.platform === "win32" }, async (t) => {
  t.equal(programWords("/somewhere/clone/dist/main.js", "/somewhere/clone"), "node dist/main.js");
  t.equal(programWords("/somewhere/a clone/dist/main.js", "/somewhere"), "node 'a clone/dist/main.js'");
  t.equal(programWords("/somewhere/work/node_modules/.bin/bayesian-bits", "/somewhere/work"), "npx bayesian-bits");
  t.equal(programWords("/usr/local/bin/bayesian-bits", "/"), "bayesian-bits");
});
