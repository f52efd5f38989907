import t from "tap";
import { CurrentPage } from "../../src/live/current-page.ts";
import { unfinishedRecord } from "../fixtures/sample-record.ts";

/** A page that takes `cost` milliseconds to draw, and a clock that the test moves. */
function setUp({ cost }: { readonly cost: number }) {
  const clock = { at: 1_000_000 };
  const drawn: number[] = [];
  const page = new CurrentPage(
    ({ epochs }) => {
      drawn.push(epochs.length);
      clock.at += cost;
      return `after ${epochs.length}`;
    },
    () => clock.at,
  );
  const show = (epochs: number) => page.show(unfinishedRecord({ epochs }));
  const take = () => page.take()?.bytes.toString();
  return { page, show, take, drawn, clock };
}

t.test("there is no page before the first state", async (t) => {
  t.equal(setUp({ cost: 0 }).page.take(), null);
});

t.test("a state is drawn when it is asked for, and once", async (t) => {
  const { show, take, drawn } = setUp({ cost: 20 });
  show(1);
  show(2);
  t.strictSame(drawn, []);
  t.equal(take(), "after 2");
  t.equal(take(), "after 2");
  t.strictSame(drawn, [2]);
});

t.test("after drawing it rests five times as long, whoever asks", async (t) => {
  const { page, show, take, drawn, clock } = setUp({ cost: 200 });
  show(1);
  take();
  const { version } = page;
  show(2);
  t.equal(page.rest, 1000);
  t.equal(page.version, version, "the version is that of what can be had");
  clock.at += 999;
  t.equal(take(), "after 1");
  clock.at += 1;
  t.ok(page.version > version);
  t.equal(take(), "after 2");
  t.strictSame(drawn, [1, 2]);
});

t.test("it rests half a second at least and ten seconds at most", async (t) => {
  for (const [cost, rest] of [
    [1, 500],
    [60_000, 10_000],
  ] as const) {
    const { page, show, take } = setUp({ cost });
    show(1);
    take();
    t.equal(page.rest, rest);
  }
});

t.test("the last state is drawn at once", async (t) => {
  const { page, show, take } = setUp({ cost: 100 });
  show(1);
  take();
  show(2);
  t.equal(page.takeLast()?.bytes.toString(), "after 2");
});

t.test("versions grow, also where the clock stands still", async (t) => {
  const { page, show } = setUp({ cost: 0 });
  const versions = [1, 2, 3].map((epochs) => {
    show(epochs);
    return page.version;
  });
  t.strictSame(versions, [1_000_000, 1_000_001, 1_000_002]);
});
