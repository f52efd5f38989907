import { provisionEngine } from "../engine/provision/provision.ts";
import type { Context } from "./context.ts";

/** `setup`: provisions the engine; does nothing when it is there. */
export async function runSetup({ reporter, stop, holdStops, print, json }: Context): Promise<void> {
  const { kind, reason } = await holdStops(() => provisionEngine({ reporter, signal: stop }));
  print(json ? JSON.stringify({ engine: kind, reason }) : `engine: ${kind} (${reason})`);
}
