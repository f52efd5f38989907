/** How long work tells of itself: a bar on a terminal, a log line elsewhere, nothing in tests. */
export interface Progress {
  /** Starts a bar of `total` units. */
  start(label: string, total: number): void;
  /** Says that `done` of the total is reached; `detail` is shown beside it. */
  update(done: number, detail?: string): void;
  stop(): void;
}

/** What long work tells of itself, stage by stage, and where it may be ended. */
export interface Watch {
  /** Another stage begins, of `total` units. */
  stage(label: string, total: number): void;
  /** So much of the stage is done, shares of a unit too; throws to end the work. */
  done(count: number, detail?: string): Promise<void>;
}

/** Nobody hears, and nobody ends it. */
export const unwatched: Watch = { stage: () => {}, done: async () => {} };

/** What a stage may say while it works; commands connect it to pino and the terminal. */
export interface Reporter {
  info(message: string): void;
  warn(message: string): void;
  readonly progress: Progress;
}

/** Says nothing: for tests and for library use. */
export const silent: Reporter = {
  info: () => {},
  warn: () => {},
  progress: { start: () => {}, update: () => {}, stop: () => {} },
};
