import { countText } from "../core/count-text.ts";
import type { RunRecord } from "../runs/record.ts";
import { samplesOf } from "../runs/sample-words.ts";

/** What begins, in a line of the log: network, data, method, engine and folder. */
export function startLine({ network, data, config, environment }: RunRecord, folder: string): string {
  const layers = `${network.name} (${network.layers.length} layers)`;
  const images = `${data.name} (${countText(data.trainImages)} ${samplesOf(data)} to train on, ${countText(data.testImages)} to test on)`;
  const { engine, device, threads } = environment;
  const where = `${engine} engine${device === "cpu" ? "" : ` on the ${device}`}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  return `${layers} on ${images}, ${config.method.name}, ${where}, into ${folder}`;
}
