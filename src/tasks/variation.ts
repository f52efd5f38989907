/** Mean and sum of squared distances from it, one value at a time (Welford, Technometrics 4, 1962). */
export class Variation {
  count = 0;
  mean = 0;
  squares = 0;

  add(value: number): void {
    this.count++;
    const before = value - this.mean;
    this.mean += before / this.count;
    this.squares += before * (value - this.mean);
  }

  get deviation(): number {
    return Math.sqrt(this.squares / this.count);
  }
}
