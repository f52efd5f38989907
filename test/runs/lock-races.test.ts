import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { lockFile } from "../../src/runs/lock.ts";
import { leaveLock, nobody } from "../fixtures/left-lock.ts";
import { ownProcess } from "../fixtures/own-process.ts";

const hear = (racer: ChildProcess): Promise<string> =>
  new Promise((resolve) => racer.once("message", (answer) => resolve(String(answer))));

t.test("200 races: always one writer, never two, never none", { timeout: 170_000 }, async (t) => {
  const { script, execArgv } = ownProcess("test/fixtures/lock-racer.ts");
  const racers = Array.from({ length: 3 }, () => fork(script, { execArgv: [...execArgv] }));
  try {
    await Promise.all(racers.map(hear));
    const winners: number[] = [];
    for (let race = 0; race < 200; race++) {
      const folder = t.testdir({});
      // What they find: nothing, or a dead holder's lock.
      if (race % 2 === 1) leaveLock(folder, { pid: nobody, id: String(race) });
      const at = Date.now() + 3;
      for (const racer of racers) racer.send({ folder, at });
      const answers = await Promise.all(racers.map(hear));
      const won = answers.flatMap((answer, racer) => (answer === "won" ? [racer] : []));
      if (won.length !== 1 || !answers.every((answer) => answer === "won" || /is in use by another run/.test(answer)))
        t.fail(`race ${race}`, { answers });
      winners.push(won[0]!);
      const holder = JSON.parse(readFileSync(join(folder, lockFile), "utf8"));
      if (holder.pid !== racers[won[0]!]!.pid) t.fail(`race ${race}: the lock names ${holder.pid}`);
    }
    t.equal(winners.length, 200);
    t.comment(`wins: ${racers.map((_, racer) => winners.filter((winner) => winner === racer).length)}`);
  } finally {
    for (const racer of racers) racer.kill();
  }
});
