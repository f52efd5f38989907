import { request } from "node:http";
import { connect } from "node:net";
import t from "tap";
import { LiveServer } from "../../src/live/live-server.ts";
import { liveEvents } from "../fixtures/live-run.ts";
import { sampleRecord, unfinishedRecord } from "../fixtures/sample-record.ts";

async function serve() {
  const server = new LiveServer();
  const address = await server.listen(0);
  return { server, address, port: Number(new URL(address).port) };
}

/** A request with any method and headers, which `fetch` would not send. */
const ask = (address: string, { path = "", method = "GET", headers = {} as Record<string, string> } = {}) =>
  new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; length: number }>((resolve, reject) => {
    const { port, pathname } = new URL(address);
    request({ host: "127.0.0.1", port, path: pathname + path, method, headers }, (response) => {
      let length = 0;
      response.on("data", (chunk: Buffer) => (length += chunk.length));
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, length }));
    })
      .on("error", reject)
      .end();
  });

t.test("serves one page, for reading, with a policy that lets it ask this server alone", async (t) => {
  const { server, address } = await serve();
  t.teardown(() => server.end());
  t.match(await ask(address), { status: 503, headers: { refresh: "1" } }, "before the first state");
  server.show(unfinishedRecord());
  const response = await fetch(address);
  const page = await response.text();
  t.match(page, "This run has not finished. The figures are those after epoch 2 of 6.");
  const policy = response.headers.get("content-security-policy")!;
  const own = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!.replaceAll("&#39;", "'");
  t.equal(policy, `${own}; frame-ancestors 'none'`);
  t.match(policy, /default-src 'none';.*connect-src 'self'/);
  t.notMatch(policy, "unsafe");
  t.equal(response.headers.get("cache-control"), "no-store");
  t.equal(response.headers.get("access-control-allow-origin"), null);
  const head = await ask(address, { method: "HEAD" });
  t.match(head, { status: 200, length: 0 });
  t.match(await ask(address, { path: "events", method: "HEAD" }), { status: 200, length: 0 });
  t.match(await ask(address, { path: "record.json" }), { status: 404 });
  t.match(await ask(address, { path: "../etc/passwd" }), { status: 404 });
  t.match(await ask(address, { method: "POST" }), { status: 405, headers: { allow: "GET, HEAD" } });
  t.match(await ask(address, { headers: { host: "evil.example" } }), { status: 403 });
  t.match(await ask(address, { path: "events", headers: { origin: "http://evil.example" } }), { status: 403 });
});

t.test("followers hear of new states and of the end, and can take the last page", async (t) => {
  const { server, address } = await serve();
  server.show(unfinishedRecord({ epochs: 1 }));
  const heard: string[] = [];
  let ended: Promise<void> | null = null;
  let versions: number[] = [];
  for await (const { kind, version } of liveEvents(address)) {
    heard.push(kind);
    versions = [...versions, version];
    if (heard.length === 1) server.show(unfinishedRecord());
    if (heard.length === 2) {
      server.show(sampleRecord());
      ended = server.end();
    }
    if (kind !== "end") continue;
    t.match(await (await fetch(address)).text(), "99.06\u202f%");
    break;
  }
  await ended;
  t.strictSame(heard, ["state", "state", "state", "end"]);
  t.ok(versions[0]! < versions[1]! && versions[1]! < versions[2]!, "versions grow with the states");
  t.equal(versions[3], versions[2]);
  await t.rejects(fetch(address), "nobody listens any more");
});

t.test(
  "followers hear how far training is, those who come later at once, and the page is not drawn for it",
  async (t) => {
    const { server, address } = await serve();
    server.show(unfinishedRecord({ epochs: 0 }));
    const leave = new AbortController();
    const first = liveEvents(address, leave.signal);
    const state = await first.next();
    server.tellStep("Epoch 1 of 6, step 1 of 2,814: loss 2.3");
    t.match(await first.next(), { value: { kind: "step", text: "Epoch 1 of 6, step 1 of 2,814: loss 2.3" } });
    const second = liveEvents(address, leave.signal);
    t.strictSame(await second.next(), state, "the same state");
    t.match(await second.next(), { value: { kind: "step", text: "Epoch 1 of 6, step 1 of 2,814: loss 2.3" } });
    leave.abort();
    await Promise.allSettled([first.next(), second.next()]);
    await server.end();
  },
);

t.test("followers beyond the sixteenth are refused", async (t) => {
  const { server, address } = await serve();
  server.show(unfinishedRecord());
  const leave = new AbortController();
  const followers = Array.from({ length: 16 }, () => liveEvents(address, leave.signal));
  await Promise.all(followers.map((follower) => follower.next()));
  t.match(await ask(address, { path: "events" }), { status: 503 });
  t.match(await ask(address), { status: 200 }, "the page is there for all");
  leave.abort();
  await Promise.allSettled(followers.map((follower) => follower.next()));
  await server.end();
});

t.test("a client that never reads, one that breaks off and one that talks nonsense do no harm", async (t) => {
  const { server, address, port } = await serve();
  server.show(sampleRecord());
  const { pathname } = new URL(address);
  const host = `host: 127.0.0.1:${port}\r\n`;
  const sockets = [
    `GET ${pathname} HTTP/1.1\r\n${host}\r\n`,
    `GET ${pathname}events HTTP/1.1\r\n${host}\r\n`,
    "nonsense\r\n\r\n",
    "",
  ].map((text) => {
    const socket = connect(port, "127.0.0.1").pause();
    socket.on("error", () => {});
    socket.write(text);
    return socket;
  });
  t.match(await ask(address), { status: 200 });
  sockets[0]!.destroy();
  t.match(await ask(address), { status: 200 });
  await server.end();
  for (const socket of sockets) socket.destroy();
});

t.test("nothing is served without the address's key", async (t) => {
  const { server, address } = await serve();
  const other = await serve();
  t.teardown(() => Promise.all([server.end(), other.server.end()]));
  server.show(sampleRecord());
  const { origin, pathname } = new URL(address);
  t.match(pathname, /^\/[\w-]{22}\/$/);
  t.not(new URL(other.address).pathname, pathname, "each has its own");
  for (const path of ["/", "/events", "//", `/x${pathname}`, `${pathname.toLowerCase()}events`, pathname.slice(0, -1)])
    t.match(await ask(origin, { path: path.slice(1) }), { status: 403 }, path);
  t.match(await ask(address), { status: 200 });
  t.match(await ask(address, { path: "?x=1" }), { status: 404 });
});

t.test("a hundred connections that ask slowly, or not at all, keep nobody from reading", async (t) => {
  const { server, address, port } = await serve();
  server.show(sampleRecord());
  const sockets = Array.from({ length: 100 }, (_, index) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(index % 2 === 0 ? "GET / HT" : "");
    return socket;
  });
  const began = performance.now();
  t.match(await ask(address), { status: 200 });
  const { done } = await liveEvents(address).next();
  t.notOk(done, "and follow");
  t.ok(performance.now() - began < 10_000, "at once, and not when they have timed out");
  for (const socket of sockets) socket.destroy();
  await server.end();
});
