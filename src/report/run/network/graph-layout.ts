/** What is laid out: things of a size, each reading others before it in the list. */
export interface Sized {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  /** Ids of what it reads, without those that are not in the list. */
  readonly reads: readonly string[];
  /** Whether it stays below what it reads: no column may begin with it. */
  readonly follows: boolean;
}

export interface Placed {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Route {
  readonly from: string;
  readonly to: string;
  /** Which of the target's reads it is. */
  readonly input: number;
  /** Corners, from the source's lower edge to the target's upper edge; the last stretch is vertical. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** The last of them. */
  readonly end: readonly [x: number, y: number];
}

export interface Layout {
  /** Which way the lines run into the boxes. */
  readonly flow: "down" | "right";
  readonly width: number;
  readonly height: number;
  readonly placed: readonly Placed[];
  readonly routes: readonly Route[];
}

/** Free height above every box that reads one: a line's last stretch with its bit-width, and room to come from the side. */
const headroom = 36;
/** Below a source, where lines to the side leave it. */
const leave = 7;
/** Above a target, where lines from the side turn down. */
const arrive = 28;
const laneWidth = 10;
const gutter = 30;
const between = 12;
/** Distance of two lines into one box. */
const spread = 34;

/**
 * Lays a directed acyclic graph out: in one row from left to right where that fits the width, otherwise from top to
 * bottom in as many columns as fit. A column ends only where one value alone is alive, as between two residual blocks,
 * so that every column reads on its own. Lines that pass boxes run in lanes beside them.
 */
export function layOut(items: readonly Sized[], { width }: { readonly width: number }): Layout {
  const turned = items.map((item) => ({ ...item, width: item.height, height: item.width }));
  const row = place([blocksOf(turned).map(arrange)]);
  if (row.height <= width) return turn(row);
  const blocks = blocksOf(items).map(arrange);
  for (let count = Math.min(blocks.length, 12); count >= 1; count--) {
    const columns = partition(blocks, count);
    const layout = place(columns);
    if (layout.width <= width || count === 1) return layout;
  }
  return { flow: "down", width: 0, height: 0, placed: [], routes: [] };
}

const turned = ([x, y]: readonly [number, number]) => [y, x] as const;

/** A layout mirrored at its diagonal: what ran down runs right. */
const turn = ({ width, height, placed, routes }: Layout): Layout => ({
  flow: "right",
  width: height,
  height: width,
  placed: placed.map(({ id, x, y, width, height }) => ({ id, x: y, y: x, width: height, height: width })),
  routes: routes.map((route) => ({ ...route, points: route.points.map(turned), end: turned(route.end) })),
});

/** The items in groups between which one value alone is alive. */
export function blocksOf(items: readonly Sized[]): readonly (readonly Sized[])[] {
  const lastReader = new Map<string, number>();
  items.forEach(({ reads }, index) => {
    for (const id of reads) lastReader.set(id, index);
  });
  const blocks: Sized[][] = [];
  let block: Sized[] = [];
  items.forEach((item, index) => {
    block.push(item);
    const alive = items.slice(0, index + 1).filter(({ id }) => (lastReader.get(id) ?? -1) > index);
    const next = items[index + 1];
    if ((alive.length === 1 && alive[0] === item && !next?.follows && item.reads.length > 0) || next === undefined) {
      blocks.push(block);
      block = [];
    }
  });
  return blocks;
}

interface Block {
  readonly items: readonly (Sized & { readonly x: number; readonly y: number })[];
  readonly width: number;
  readonly height: number;
  readonly lanes: ReadonlyMap<string, number>;
}

/** Rows by longest path; the longest way through stays to the left, its branches stand to its right. */
function arrange(items: readonly Sized[]): Block {
  const rows = new Map<string, number>();
  for (const { id, reads } of items) rows.set(id, Math.max(-1, ...reads.map((read) => rows.get(read) ?? -1)) + 1);
  const depth = new Map<string, number>();
  for (const { id } of items.toReversed()) {
    const readers = items.filter(({ reads }) => reads.includes(id));
    depth.set(id, Math.max(-1, ...readers.map((reader) => depth.get(reader.id) ?? -1)) + 1);
  }
  const length = (id: string) => (rows.get(id) ?? 0) + (depth.get(id) ?? 0);
  const count = Math.max(...rows.values()) + 1;
  const placed: (Sized & { x: number; y: number })[] = [];
  const widest = Math.max(...items.map((item) => item.width));
  let y = 0;
  for (let row = 0; row < count; row++) {
    const inRow = items.filter(({ id }) => rows.get(id) === row);
    inRow.sort((one, other) => length(other.id) - length(one.id));
    const height = Math.max(...inRow.map((item) => item.height));
    if (inRow.some(({ reads }) => reads.length > 0)) y += headroom;
    inRow.forEach((item, column) => {
      placed.push({ ...item, x: column * (widest + between) + (widest - item.width) / 2, y });
    });
    y += height;
  }
  const boxes = Math.max(...placed.map((item) => item.x + item.width), widest);
  const lanes = new Map<string, number>();
  for (const { id, reads } of items) {
    for (const read of reads) {
      // What comes from another block comes from above the first row.
      const passes = (rows.get(id) ?? 0) - (rows.get(read) ?? -1) > 1;
      if (passes) lanes.set(`${read} ${id}`, boxes + laneWidth * (lanes.size + 1));
    }
  }
  return { items: placed, width: boxes + laneWidth * lanes.size, height: y, lanes };
}

/** The blocks in order, in at most `count` columns of which the highest is as low as can be. */
function partition(blocks: readonly Block[], count: number): readonly (readonly Block[])[] {
  const total = blocks.reduce((sum, { height }) => sum + height, 0);
  let [low, high] = [Math.max(0, ...blocks.map(({ height }) => height)), total];
  const fill = (limit: number) => {
    const columns: Block[][] = [];
    let column: Block[] = [];
    let height = Number.POSITIVE_INFINITY;
    for (const block of blocks) {
      if (height + block.height > limit) {
        column = [];
        columns.push(column);
        height = 0;
      }
      column.push(block);
      height += block.height;
    }
    return columns;
  };
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (fill(middle).length <= count) high = middle;
    else low = middle;
  }
  return fill(high);
}

interface At extends Placed {
  /** Left edge of its column's gutter, where lines from other columns come down. */
  readonly gutter: number;
  readonly reads: readonly string[];
}

function place(columns: readonly (readonly Block[])[]): Layout {
  const at = new Map<string, At>();
  const lanes = new Map<string, number>();
  let [x, height] = [0, 0];
  for (const blocks of columns) {
    let y = 0;
    for (const block of blocks) {
      for (const item of block.items) {
        const { id, width, height, reads } = item;
        at.set(id, { id, width, height, reads, gutter: x - gutter / 2, x: x + item.x, y: y + item.y });
      }
      for (const [line, lane] of block.lanes) lanes.set(line, x + lane);
      y += block.height;
    }
    height = Math.max(height, y);
    x += Math.max(...blocks.map(({ width }) => width)) + gutter;
  }
  const placed = [...at.values()];
  const routes = placed.flatMap((to) => routesInto(to, at, lanes));
  return { flow: "down", width: x - gutter + 1, height: height + leave + 2, placed, routes };
}

/** The lines into a box, from left to right by where they come from, so that they do not cross above it. */
function routesInto(to: At, at: ReadonlyMap<string, At>, lanes: ReadonlyMap<string, number>): Route[] {
  const ways = to.reads.flatMap((read, input) => {
    const from = at.get(read);
    if (from === undefined) return [];
    const centre = from.x + from.width / 2;
    const lane = from.gutter === to.gutter ? lanes.get(`${read} ${to.id}`) : to.gutter;
    return [{ from, input, centre, lane, comesFrom: lane ?? centre }];
  });
  ways.sort((one, other) => one.comesFrom - other.comesFrom);
  return ways.map(({ from, input, centre, lane }, position): Route => {
    const enter = to.x + to.width / 2 + (position - (ways.length - 1) / 2) * spread;
    const below = from.y + from.height;
    const turn = to.y - arrive;
    const corners: (readonly [number, number])[] =
      lane !== undefined
        ? [
            [centre, below + leave],
            [lane, below + leave],
            [lane, turn],
            [enter, turn],
          ]
        : Math.abs(centre - enter) < 1
          ? []
          : [
              [centre, turn],
              [enter, turn],
            ];
    const end = [enter, to.y] as const;
    return { from: from.id, to: to.id, input, points: [[centre, below], ...corners, end], end };
  });
}
