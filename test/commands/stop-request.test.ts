import t from "tap";
import { StopRequest } from "../../src/commands/stop-request.ts";

t.test("a signal that nobody holds ends the program, with the signal's code", async (t) => {
  const codes: number[] = [];
  const stop = new StopRequest((code) => void codes.push(code));
  t.equal(stop.hear("SIGINT"), "ended");
  t.equal(stop.hear("SIGTERM"), "ended");
  t.strictSame(codes, [130, 143]);
  t.notOk(stop.signal.aborted);
});

t.test("held, the first asks and the second ends", async (t) => {
  const codes: number[] = [];
  const stop = new StopRequest((code) => void codes.push(code));
  const result = await stop.hold(async () => {
    t.equal(stop.hear("SIGTERM"), "asked");
    t.strictSame([codes, stop.signal.aborted, stop.signal.reason], [[], true, "SIGTERM"]);
    t.equal(stop.hear("SIGINT"), "ended");
    return 7;
  });
  t.equal(result, 7);
  t.strictSame(codes, [130]);
});

t.test("work that is over, or has failed, holds no more", async (t) => {
  const codes: number[] = [];
  const stop = new StopRequest((code) => void codes.push(code));
  await t.rejects(
    stop.hold(() => Promise.reject(new Error("no"))),
    /no/,
  );
  t.equal(stop.hear("SIGINT"), "ended");
});
