import t from "tap";
import { WaitingTime } from "../../src/data/waiting.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

t.test("what its reader waits for counts, what the reader does itself does not", async (t) => {
  const slow = async function* () {
    for (const value of [1, 2, 3]) {
      await pause(30);
      yield value;
    }
  };
  const waiting = new WaitingTime();
  const seen: number[] = [];
  for await (const value of waiting.over(slow())) {
    seen.push(value);
    const before = waiting.seconds;
    await pause(20);
    t.equal(waiting.seconds, before);
  }
  t.same(seen, [1, 2, 3]);
  // Timers may fire a millisecond early.
  t.ok(waiting.seconds >= 0.085, `${waiting.seconds} s`);
});

t.test("a reader that stops early ends what it reads from", async (t) => {
  let ended = false;
  const endless = async function* () {
    try {
      for (;;) yield 1;
    } finally {
      ended = true;
    }
  };
  for await (const _ of new WaitingTime().over(endless())) break;
  t.ok(ended);
});
