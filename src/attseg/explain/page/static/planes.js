/* The numbers of a bundle, unpacked: the counterpart of attseg.explain.planes and of the places in attseg.explain.bundle. */

/** Bytes of a plane, with how to read them as values. */
async function readPlane(plane) {
  const packed = Uint8Array.from(atob(plane.data), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const width = plane.shape[plane.shape.length - 1];
  for (let start = 0; start < bytes.length; start += width) {
    for (let place = start + 1; place < start + width; place++) bytes[place] += bytes[place - 1];
  }
  const read = { shape: plane.shape, low: plane.low, high: plane.high, bytes, ranges: null };
  if (plane.ranges) {
    const view = new DataView(Uint8Array.from(atob(plane.ranges), (letter) => letter.charCodeAt(0)).buffer);
    read.ranges = Float32Array.from({ length: view.byteLength / 4 }, (_, place) => view.getFloat32(4 * place, true));
  }
  return read;
}

/** The value at a place in the flat bytes of a plane without ranges. */
function valueAt(plane, index) {
  return plane.low + (plane.bytes[index] / 255) * (plane.high - plane.low);
}

/** A bundle whose planes can be read; the bundle itself stays as it is. */
async function openBundle(bundle) {
  const sides = bundle.sides.map(async (side) => {
    const names = ["labels", "scores", "seconds", "second_scores"];
    const planes = await Promise.all(names.map((name) => readPlane(side[name])));
    const maps = await Promise.all(
      side.maps.map(async (map) => ({
        ...map,
        values: map.values && (await readPlane(map.values)),
        pairs: map.pairs && { ...map.pairs, values: map.pairs.values && (await readPlane(map.pairs.values)) },
      })),
    );
    const truth = side.truth && (await readPlane(side.truth));
    return { ...side, ...Object.fromEntries(names.map((name, place) => [name, planes[place]])), truth, maps };
  });
  return { ...bundle, sides: await Promise.all(sides) };
}

/** Row or column, among `count`, in which the middle of a pixel lies that is `place` of `length`. */
function cellOf(place, count, length) {
  return Math.floor(((2 * place + 1) * count) / (2 * length));
}

const labelName = (found) => (found ? `labelled ${found.name}` : "no label");

/** Class and score of a pixel, and those of the class that comes next. */
function decisionAt(side, picture, x, y) {
  const [rows, columns] = side.labels.shape;
  const index = cellOf(y, rows, picture.height) * columns + cellOf(x, columns, picture.width);
  return {
    label: side.labels.bytes[index],
    score: valueAt(side.scores, index),
    second: side.seconds.bytes[index],
    secondScore: valueAt(side.second_scores, index),
    truth: side.truth ? labelName(side.classes[side.truth.bytes[index]]) : null,
  };
}

/** The values of all channels (scales, classes) of a map at a pixel. */
function valuesAt(side, map, x, y) {
  const [channels, rows, columns] = map.values.shape;
  const row = Math.floor(cellOf(y, map.size[0], side.seen[0]) / map.pool);
  const column = Math.floor(cellOf(x, map.size[1], side.seen[1]) / map.pool);
  const place = row * columns + column;
  return Float32Array.from({ length: channels }, (_, channel) => valueAt(map.values, channel * rows * columns + place));
}

/** One channel of a map as a grid; -1 is the mean of all. */
function channelGrid(map, channel) {
  const [channels, rows, columns] = map.values.shape;
  const weights = new Float32Array(rows * columns);
  const chosen = channel < 0 ? [...Array(channels).keys()] : [channel];
  for (const one of chosen) {
    for (let place = 0; place < weights.length; place++) {
      weights[place] += valueAt(map.values, one * rows * columns + place) / chosen.length;
    }
  }
  return { rows, columns, weights };
}

/**
 * What the bundle itself holds of a pixel's pairs, as a grid.
 *
 * @param {boolean} turned  The other way round: whom it gives to where the maps say what it gathers, and the reverse. Only where
 *     every position has its map.
 */
function pairGrid(side, map, x, y, turned) {
  const { step, values } = map.pairs;
  const [, rows, columns] = values.shape;
  const across = Math.ceil(map.size[1] / step);
  const row = Math.floor(cellOf(y, map.size[0], side.seen[0]) / step);
  const column = Math.floor(cellOf(x, map.size[1], side.seen[1]) / step);
  const point = row * across + column;
  const cells = rows * columns;
  const weights = new Float32Array(cells);
  for (let place = 0; place < cells; place++) {
    const [from, to] = turned ? [place, point] : [point, place];
    const [low, high] = values.ranges.subarray(2 * from, 2 * from + 2);
    weights[place] = low + (values.bytes[from * cells + to] / 255) ** 2 * (high - low);
  }
  return { rows, columns, weights };
}

/**
 * Where a grid is largest, its sum, what lies at the pixel itself, and
 * how many times an even share the largest is; null where some are below 0.
 */
function summary(side, map, grid, x, y) {
  let best = 0;
  let sum = 0;
  let lowest = 0;
  for (let place = 0; place < grid.weights.length; place++) {
    sum += grid.weights[place];
    lowest = Math.min(lowest, grid.weights[place]);
    if (grid.weights[place] > grid.weights[best]) best = place;
  }
  const [row, column] = [Math.floor(best / grid.columns), best % grid.columns];
  const own = [y, x].map((place, axis) => Math.floor(cellOf(place, map.size[axis], side.seen[axis]) / map.pool));
  const middle = (cell, axis) =>
    Math.floor((Math.min(cell * map.pool + map.pool / 2, map.size[axis]) * side.seen[axis]) / map.size[axis]);
  return {
    peak: grid.weights[best],
    sum: (sum * map.size[0] * map.size[1]) / grid.weights.length,
    own: grid.weights[own[0] * grid.columns + own[1]],
    times: sum > 0 && lowest === 0 ? (grid.weights[best] * grid.weights.length) / sum : null,
    x: middle(column, 1),
    y: middle(row, 0),
  };
}

/** Lowest and highest of values, of which there may be many. */
function valueRange(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

/** The same of pairs, whose colours begin at 0, or below it where the lowest weight is. */
function pairRange(grid) {
  const { low, high } = valueRange(grid.weights);
  return { low: Math.min(0, low), high };
}

/**
 * The pairs of the pixel that is looked at, wherever they come from.
 *
 * @param {Function} onArrive  Called when pairs that were asked for have come.
 * @returns {{of: (map: object, turned: boolean) => object | null}}  `of` gives a grid with the pixel `x`, `y` that it belongs to, and a
 *     `stamp` that tells it from all others; that of an earlier pixel while its own has not come, null where there is none.
 */
function makePairs(side, { view, pairwise }, onArrive) {
  const fetched = new Map(); // by map: the last answer
  const held = new Map(); // by map and turn: the last grid out of the bundle
  let grids = 0;
  const ask = async (map, x, y) => {
    const last = fetched.get(map.id) ?? { waiting: false, grid: null };
    fetched.set(map.id, last);
    if (last.waiting) return; // when that one has come, onArrive leads here again
    last.waiting = true;
    try {
      Object.assign(last, { x, y, grid: { ...(await pairwise(map.id, x, y)), x, y, stamp: ++grids } });
    } catch {
      Object.assign(last, { x, y, grid: null }); // whoever answers says what went wrong
    }
    last.waiting = false;
    onArrive();
  };
  const of = (map, turned) => {
    const { x, y } = view();
    if (map.pairs.values) {
      const key = `${map.id} ${turned}`;
      const before = held.get(key);
      if (before?.x === x && before.y === y) return before;
      const grid = { ...pairGrid(side, map, x, y, turned), x, y, stamp: ++grids };
      held.set(key, grid);
      return grid;
    }
    const last = fetched.get(map.id);
    if (!last || last.x !== x || last.y !== y) ask(map, x, y);
    return last?.grid ?? null;
  };
  return { of };
}
