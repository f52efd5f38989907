import t from "tap";
import { programWords } from "../../src/core/program-words.ts";

t.test("the next command is started as this one was", { skip: process.platform === "win32" }, async (t) => {
  t.equal(programWords("/home/me/clone/dist/main.js", "/home/me/clone"), "node dist/main.js");
  t.equal(programWords("/home/me/a clone/dist/main.js", "/home/me"), "node 'a clone/dist/main.js'");
  t.equal(programWords("/home/me/work/node_modules/.bin/bayesian-bits", "/home/me/work"), "npx bayesian-bits");
  t.equal(programWords("/usr/local/bin/bayesian-bits", "/"), "bayesian-bits");
});
