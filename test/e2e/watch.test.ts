import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import t from "tap";
import { readRecord } from "../../src/runs/record-file.ts";
import { runFiles } from "../../src/runs/run-directory.ts";
import { browserMissing, launchBrowser } from "../fixtures/browser.ts";
import { nativeMissing } from "../fixtures/engines.ts";
import { addressOf, liveEvents } from "../fixtures/live-run.ts";
import { start } from "../fixtures/program.ts";
import { runHere } from "../fixtures/program-here.ts";
import { writeSmallMnist } from "../fixtures/small-mnist.ts";

const folder = t.testdir();
const data = writeSmallMnist(join(folder, "data"), { train: 160, test: 40 });

const train = (out: string, epochs: number, ...rest: string[]) => [
  "train",
  "configs/mnist-lenet5-quick.yaml",
  ...[`data.folder=${data}`, `training.epochs=${epochs}`, "data.batchSize=16", "name=watched"].flatMap((setting) => [
    "--set",
    setting,
  ]),
  "--out",
  join(folder, out),
  ...rest,
];

const epochsOn = (page: string) => Number(/(\d+) epochs? in /.exec(page)?.[1]);

t.test("a watched run", { skip: nativeMissing() }, async (t) => {
  t.test("serves its growing report, tells of the end, and ends as it would unwatched", async (t) => {
    // Drawing rests for five times as long as it takes: the run lasts longer than that, on a busy machine too.
    const epochs = 12;
    const { child, ended } = start(train("followed", epochs, "--watch"));
    const address = await addressOf(child);
    t.equal((await fetch(new URL("/", address))).status, 403, "without the address's key");
    t.equal((await fetch(address, { method: "POST" })).status, 405);
    t.equal((await fetch(address, { headers: { origin: "http://evil.example" } })).status, 403);
    const seen: { kind: string; epochs: number; status: string | undefined }[] = [];
    for await (const { kind } of liveEvents(address)) {
      const page = await (await fetch(address)).text();
      seen.push({ kind, epochs: epochsOn(page), status: /class="status">(\w+)</.exec(page)?.[1] });
      if (kind === "end") break;
    }
    t.match(seen.at(-1), { kind: "end", epochs, status: "finished" });
    t.ok(
      seen.some(({ status, epochs }) => status === "running" && epochs > 0),
      "it grew while the run went on",
    );
    const { code, stderr } = await ended;
    t.equal(code, 0, stderr);
    await t.rejects(fetch(address), "the server is gone");
    t.notMatch(
      readFileSync(runFiles(join(folder, "followed")).report, "utf8"),
      "EventSource",
      "the file follows nobody",
    );
  });

  t.test("a signal stops it with a client connected that takes nothing", async (t) => {
    const { child, ended } = start(train("stopped", 1000, "--watch-port", "0"));
    const address = await addressOf(child);
    const events = liveEvents(address);
    await events.next();
    await events.next();
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    t.equal(code, 130, stderr);
    t.equal(readRecord(join(folder, "stopped")).status, "stopped");
    await events.return(undefined);
  });

  t.test("an occupied port ends it before it begins, and no port is no command", async (t) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await runHere(...train("refused", 1, "--watch-port", String(port)));
    t.equal(code, 1);
    t.match(stderr, `cannot serve the live view on port ${port} of 127.0.0.1: the port is in use; choose another`);
    other.close();
    const wrong = await runHere(...train("refused", 1, "--watch-port", "70000"));
    t.equal(wrong.code, 2);
    t.match(wrong.stderr, /--watch-port.*70000.*expected a port/);
  });
});

t.test("the page follows a run in a browser", { skip: nativeMissing() || browserMissing() }, async (t) => {
  const browser = await launchBrowser();
  t.teardown(() => browser.close());
  const { child, ended } = start(train("shown", 8, "--watch"));
  const address = await addressOf(child);
  const page = await browser.newPage({ viewport: { width: 1000, height: 600 } });
  const complaints: string[] = [];
  const foreign: string[] = [];
  let loads = 0;
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(address)) foreign.push(request.url());
    if (request.isNavigationRequest()) loads++;
  });
  // Before there is a record, the server's answer makes the browser ask again.
  await page.goto(address);
  await page.locator("#head .about").waitFor();
  complaints.length = 0;
  loads = 0;
  // 160 images in batches of 16.
  const step = page.locator("#live .step", { hasText: /^Epoch \d of 8, step \d+ of 80: loss \d+\.\d+, \w+ left$/ });
  await step.waitFor();
  // What a reader does: sort, scroll, put the focus on something.
  const head = page.locator("#layer-table thead button", { hasText: "MACs" });
  await head.click();
  await head.click();
  await head.focus();
  const topOf = (selector: string) =>
    page.locator(selector).evaluate((element) => element.getBoundingClientRect().top) as Promise<number>;
  const before = await topOf("#layer-table");
  const rows = await page.locator("#layer-table tbody th").allTextContents();
  const about = (await page.locator("#head .about").textContent())!;
  await page.locator("#head .about").filter({ hasNotText: about }).waitFor();
  t.equal(await page.locator("#layer-table th[aria-sort]").getAttribute("aria-sort"), "descending", "still sorted");
  t.strictSame(await page.locator("#layer-table tbody th").allTextContents(), rows);
  t.equal(await page.evaluate("document.activeElement.textContent"), "MACs", "the focus stays");
  t.ok(Math.abs((await topOf("#layer-table")) - before) < 2, "what was in view stays where it was");
  await page.locator("#loss .plot").focus();
  await page.keyboard.press("Home");
  t.match(await page.locator(".tip").textContent(), /epoch 1/, "new charts tell their values");
  await page.locator("#live", { hasText: "The training process has ended" }).waitFor();
  t.equal(await page.locator("#live .step").textContent(), "", "no step is going on");
  t.equal(await page.locator(".status").textContent(), "finished");
  t.match(
    await page.locator("#head .headline.decide").textContent(),
    "Speed against float32",
    "the last state is there",
  );
  const { code, stderr } = await ended;
  t.equal(code, 0, stderr);
  t.strictSame({ complaints, foreign, loads }, { complaints: [], foreign: [], loads: 0 });
});
