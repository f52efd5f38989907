import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import t from "tap";
import { provisionEngine } from "../../../src/engine/provision/provision.ts";
import { fakeMachine, goodTools, setEnvironment } from "../../fixtures/fake-machine.ts";
import { start } from "../../fixtures/program.ts";

t.test(
  "a set-up that is killed in its download leaves no engine, and the next one does all again",
  { skip: process.platform !== "linux" && "the stand-in for pip is a script for Linux" },
  async (t) => {
    const pidFile = join(t.testdirName, "pid");
    const hangs = `[ "$3" = download ] || exit 0\nwhile [ "$1" != -d ]; do shift; done\necho half > "$2/half.whl"\necho $$ > ${pidFile}\nexec /bin/sleep 60`;
    const machine = fakeMachine(t.testdir(), { ...goodTools, python3: hangs });
    const { child, ended } = start(["setup"], { ...machine.environment, BAYESIAN_BITS_DEVICE: "cpu" });
    while (!existsSync(pidFile)) await setTimeout(20);
    child.kill("SIGKILL");
    await ended;
    process.kill(Number(readFileSync(pidFile, "utf8")), "SIGKILL");
    t.match(machine.engines(), [/\.part$/], "only a part folder is there");

    const repaired = fakeMachine(t.testdirName);
    setEnvironment(t, repaired.environment);
    const { reporter, sources } = repaired;
    const { kind } = await provisionEngine({ reporter, sources, probe: async () => {} });
    t.equal(kind, "native");
    t.strictSame(repaired.warnings, []);
    t.equal(repaired.engines().length, 1);
    t.notMatch(repaired.engines()[0], /\.part$/);
  },
);
