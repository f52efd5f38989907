/** Passes batches on and adds up how long their reader has waited for them. */
export class WaitingTime {
  /** So far, in seconds. */
  seconds = 0;

  async *over<T>(batches: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = batches[Symbol.asyncIterator]();
    try {
      for (;;) {
        const asked = performance.now();
        const { done, value } = await iterator.next();
        this.seconds += (performance.now() - asked) / 1000;
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
}
