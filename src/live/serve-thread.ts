import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { codeOf, messageOf } from "../core/errors.ts";
import { LiveServer } from "./live-server.ts";
import type { FromServer, ToServer } from "./messages.ts";
import { RecordReceiver } from "./record-feed.ts";

// On Linux the priority is a thread's own; elsewhere it would be that of the whole program.
if (process.platform === "linux") setPriority(10);

const server = new LiveServer();
const received = new RecordReceiver();
const answer = (message: FromServer) => parentPort!.postMessage(message);

parentPort!.on("message", (message: ToServer) => {
  switch (message.kind) {
    case "show":
      server.show(received.take(message.change));
      break;
    case "step":
      server.tellStep(message.text);
      break;
    case "end":
      void server.end().finally(() => process.exit());
  }
});

try {
  // What the view starts it with.
  answer({ kind: "listening", address: await server.listen((workerData as { readonly port: number }).port) });
} catch (error) {
  answer({ kind: "failed", code: codeOf(error), message: messageOf(error) });
}
