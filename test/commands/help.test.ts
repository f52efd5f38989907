import t from "tap";
import { commandsOf, wrongWith } from "../fixtures/command-line.ts";

t.test("every command shows examples that it takes, and no option a default that says nothing", async (t) => {
  const commands = commandsOf().filter((command) => !["help", "complete"].includes(command.name()));
  t.ok(commands.length >= 14);
  for (const command of commands) {
    const name = command.name();
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    const [, examples = ""] = help.split("Examples:\n");
    const lines = examples.trimEnd().split("\n");
    t.ok(lines.length > 0, name);
    for (const line of lines) {
      const [program, ...args] = line.trim().split(" ");
      t.equal(program, "bayesian-bits");
      t.equal(args[0], name);
      t.equal(wrongWith(args), null, line);
    }
    t.notMatch(help, /default: (false|\[\])/, name);
  }
});
