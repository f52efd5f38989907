/** A number of channels that is a multiple of 8, at least 90 % of what is asked for: MobileNets'. */
export function channelsFor(wanted: number): number {
  const rounded = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}
