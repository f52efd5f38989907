const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Seconds, rounded up, as 5s, 2m05s or 3h07m. */
export function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < MINUTE) return `${whole}s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m${two(whole % MINUTE)}s`;
  const minutes = Math.ceil(whole / MINUTE);
  return `${Math.floor(minutes / MINUTE)}h${two(minutes % MINUTE)}m`;
}
