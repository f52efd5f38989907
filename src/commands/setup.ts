import { provisionEngine } from "../engine/provision/provision.ts";
import type { Context } from "./context.ts";

/** `setup`: provisions the engine; does nothing when it is there. */
export async function runSetup({ reporter, print, json }: Context): Promise<void> {
  const { kind, reason } = await provisionEngine(reporter);
  print(json ? JSON.stringify({ engine: kind, reason }) : `engine: ${kind} (${reason})`);
}
