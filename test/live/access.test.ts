import t from "tap";
import { askedFor, refusalOf } from "../../src/live/access.ts";

const ask = (headers: Readonly<Record<string, string>>, { method = "GET", port = 4711 } = {}) =>
  refusalOf({ method, headers }, port)?.status ?? null;

t.test("a browser on this machine may read, by either name", async (t) => {
  t.equal(ask({ host: "127.0.0.1:4711" }), null);
  t.equal(ask({ host: "localhost:4711" }), null);
  t.equal(ask({ host: "LocalHost:4711", origin: "http://localhost:4711" }), null);
  t.equal(ask({ host: "127.0.0.1:4711" }, { method: "HEAD" }), null);
  t.equal(ask({ host: "localhost" }, { port: 80 }), null, "browsers leave the port of http out");
});

t.test("another name is refused: that is how DNS rebinding reads", async (t) => {
  for (const host of [
    "evil.example:4711",
    "127.0.0.1",
    "127.0.0.1:4712",
    "127.0.0.1.evil.example:4711",
    "[::1]:4711",
    "",
  ])
    t.equal(ask({ host }), 403, host);
  t.equal(ask({}), 403, "no name");
});

t.test("another page is refused, unless it only links here", async (t) => {
  const host = "127.0.0.1:4711";
  for (const origin of [
    "http://evil.example",
    "null",
    "https://127.0.0.1:4711",
    "http://127.0.0.1:4712",
    "http://localhost",
  ])
    t.equal(ask({ host, origin }), 403, origin);
  t.equal(ask({ host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }), 403, "an image of another page");
  t.equal(ask({ host, "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" }), 403, "another port of this machine");
  t.equal(ask({ host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }), null, "a link");
  t.equal(ask({ host, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" }), null);
});

t.test("only reading is allowed", async (t) => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
    t.equal(ask({ host: "127.0.0.1:4711" }, { method }), 405, method);
  t.equal(ask({ host: "evil.example" }, { method: "POST" }), 403, "who asks comes first");
});

t.test("what is asked for stands behind the key", async (t) => {
  t.equal(askedFor({ url: "/key/" }, "key"), "/");
  t.equal(askedFor({ url: "/key/events" }, "key"), "/events");
  for (const url of ["/", "/key", "/ke/", "/keys/", "/Key/", "//key/", "/?/key/", "", "http://127.0.0.1/key/"])
    t.equal(askedFor({ url }, "key"), null, url);
});
