import { type Place, plotFrame, toTenths } from "../charts/plot-frame.ts";
import { distinctNames } from "../page/distinct-names.ts";
import { type Markup, markup } from "../page/markup.ts";
import { ofPoint, type PlottedPoint } from "./plotted-point.ts";

/** Names beside the points, those of the front and of references first; what would cover another is left out. */
export function labels(
  points: readonly PlottedPoint[],
  onFront: ReadonlySet<PlottedPoint>,
  place: Place,
): readonly Markup[] {
  const taken: { left: number; right: number; y: number }[] = points
    .flatMap(({ runs }) => runs)
    .map(({ cost, value }) => ({ left: place.x(cost) - 4, right: place.x(cost) + 4, y: place.y(value) + 4 }));
  const first = (point: PlottedPoint) => (onFront.has(point) || point.method === null ? 0 : 1);
  const names = distinctNames(
    points.map(({ label }) => label),
    26,
  );
  return points
    .map((point, index) => ({ point, text: names[index] ?? "" }))
    .toSorted((one, other) => first(one.point) - first(other.point))
    .flatMap(({ point, text }) => {
      const wide = (onFront.has(point) ? 7 : 6.2) * text.length;
      const at = { x: place.x(point.cost.mean), y: place.y(point.value.mean) };
      for (const [dx, dy] of [
        [10, -7],
        [10, 15],
        [-10 - wide, -7],
        [-10 - wide, 15],
      ] as const) {
        const box = { left: at.x + dx, right: at.x + dx + wide, y: at.y + dy };
        const inside =
          box.left >= plotFrame.left &&
          box.right <= place.width - 2 &&
          box.y > 10 &&
          box.y < place.height - plotFrame.bottom - 2;
        if (
          !inside ||
          taken.some((other) => other.left < box.right && box.left < other.right && Math.abs(other.y - box.y) < 12)
        )
          continue;
        taken.push(box);
        return [
          markup`<text x="${toTenths(box.left)}" y="${toTenths(box.y)}" font-size="11" fill="var(--ink)" stroke="var(--paper)" stroke-width="4" stroke-linejoin="round" paint-order="stroke"${ofPoint(point)}>${text}</text>`,
        ];
      }
      return [];
    });
}
