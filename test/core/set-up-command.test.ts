import { pathToFileURL } from "node:url";
import t from "tap";
import { setUpCommand } from "../../src/core/set-up-command.ts";

t.test("a clone is set up by npm's script, a package by the program itself", async (t) => {
  t.equal(setUpCommand(), "npm run setup");
  const folder = pathToFileURL(`${t.testdir()}/`);
  t.equal(setUpCommand(folder), "bayesian-bits setup");
});
