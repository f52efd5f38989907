import type { EpochRecord, RunRecord } from "../runs/record.ts";

/** What changed since the message before: a record grows by an epoch at a time, and may have thousands. */
export interface RecordChange {
  /** The record with those of its epochs that come after the first `kept`. */
  readonly record: RunRecord;
  /** So many of the epochs that were sent before still hold. */
  readonly kept: number;
}

/** The sending end. */
export class RecordSender {
  #sent: readonly EpochRecord[] = [];

  changeTo(record: RunRecord): RecordChange {
    const last = this.#sent.length - 1;
    // Epochs are appended and never changed; a run that is taken up from a checkpoint has others.
    const kept = last >= 0 && record.epochs[last] === this.#sent[last] ? this.#sent.length : 0;
    this.#sent = record.epochs;
    return { record: { ...record, epochs: record.epochs.slice(kept) }, kept };
  }
}

/** The receiving end. */
export class RecordReceiver {
  #epochs: RunRecord["epochs"] = [];

  take({ record, kept }: RecordChange): RunRecord {
    this.#epochs = [...this.#epochs.slice(0, kept), ...record.epochs];
    return { ...record, epochs: this.#epochs };
  }
}
