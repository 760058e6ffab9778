/* Painting on canvases: pictures, classes, heat maps, charts. COLOR_MAPS, 256 colours a name, is put before this file. */

const HEAT_SIDE = 512; // pixels at most, along the longer side, at which heat maps are painted before they are enlarged

/** A colour map as 256 x 3 bytes. */
function colorTable(name) {
  const text = COLOR_MAPS[name];
  return Uint8Array.from({ length: 768 }, (_, place) => parseInt(text.slice(2 * place, 2 * place + 2), 16));
}

function newCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** The picture without colours. */
function greyed(image) {
  const canvas = newCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height);
  const bytes = data.data;
  for (let place = 0; place < bytes.length; place += 4) {
    const grey = 0.299 * bytes[place] + 0.587 * bytes[place + 1] + 0.114 * bytes[place + 2];
    bytes[place] = bytes[place + 1] = bytes[place + 2] = grey;
  }
  context.putImageData(data, 0, 0);
  return canvas;
}

/** A canvas with a colour a pixel, given by `paint(place)` as [red, green, blue, alpha]. */
function painted(rows, columns, paint) {
  const canvas = newCanvas(columns, rows);
  const data = new ImageData(columns, rows);
  for (let place = 0; place < rows * columns; place++) data.data.set(paint(place), 4 * place);
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}

/** Labels (a plane of a side) in the colours of its classes; bytes without a class are grey. */
function paintedLabels(side, plane) {
  const [rows, columns] = plane.shape;
  const colors = side.classes.map((one) => [...one.color, 255]);
  return painted(rows, columns, (place) => colors[plane.bytes[place]] ?? [96, 96, 96, 255]);
}

/**
 * A grid of weights as colours.
 *
 * @param {object} grid  {rows, columns, weights}
 * @param {object} how  `low` and `high`: values of the first and last colour. `table`: the colours. `smooth`: weights are
 *     interpolated between the middles of cells. `extent`: how much of the picture the grid covers, to the right and
 *     down; it may be more than 1.
 *     `ratio`: width over height of the picture. `longest`: pixels along the longer side.
 */
function paintedHeat(grid, { low, high, table, smooth, extent, ratio, longest = HEAT_SIDE }) {
  const width = Math.round(ratio >= 1 ? longest : longest * ratio);
  const height = Math.round(ratio >= 1 ? longest / ratio : longest);
  const across = samples(Math.max(1, width), grid.columns, extent[0], smooth);
  const down = samples(Math.max(1, height), grid.rows, extent[1], smooth);
  const canvas = newCanvas(across.length, down.length);
  const data = new ImageData(across.length, down.length);
  const factor = 255 / Math.max(high - low, 1e-30);
  let place = 0;
  for (const [above, below, fall] of down) {
    for (const [left, right, share] of across) {
      const over = grid.weights[above * grid.columns + left] * (1 - share) + grid.weights[above * grid.columns + right] * share;
      const under =
        grid.weights[below * grid.columns + left] * (1 - share) + grid.weights[below * grid.columns + right] * share;
      const color = 3 * Math.max(0, Math.min(255, Math.round((over * (1 - fall) + under * fall - low) * factor)));
      data.data[place] = table[color];
      data.data[place + 1] = table[color + 1];
      data.data[place + 2] = table[color + 2];
      data.data[place + 3] = 255;
      place += 4;
    }
  }
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}

/** For each of `length` pixels the two cells between which it lies, and its share of the second. */
function samples(length, cells, extent, smooth) {
  return Array.from({ length }, (_, pixel) => {
    const place = ((pixel + 0.5) / length / extent) * cells;
    if (!smooth) {
      const cell = Math.min(cells - 1, Math.floor(place));
      return [cell, cell, 0];
    }
    const inner = Math.max(0, Math.min(cells - 1, place - 0.5));
    const first = Math.floor(inner);
    return [first, Math.min(cells - 1, first + 1), inner - first];
  });
}

/** Lay a canvas over the whole of another. */
function cover(context, layer, { opacity = 1, exact = false, quality = "high" } = {}) {
  context.globalAlpha = opacity;
  context.imageSmoothingEnabled = !exact;
  context.imageSmoothingQuality = quality;
  context.drawImage(layer, 0, 0, context.canvas.width, context.canvas.height);
  context.globalAlpha = 1;
}

/** A copy of a layer, as large as a canvas. */
function enlarged(layer, { width, height }) {
  const copy = newCanvas(width, height);
  cover(copy.getContext("2d"), layer);
  return copy;
}

/**
 * A curve of weights, one step a channel, with their mean as a line.
 *
 * @param {HTMLCanvasElement} canvas  Drawn as large as it is shown.
 * @param {ArrayLike<number>} values
 * @param {object} how  `marked`: the channel to point out, or -1. `axis`: whether to write numbers at the sides.
 */
function drawChart(canvas, values, { marked = -1, axis = false } = {}) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const style = getComputedStyle(canvas);
  const color = (name) => style.getPropertyValue(name).trim();
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const [left, bottom, top] = axis ? [44, 30, 14] : [0, 1, 3];
  const high = Math.max(1, ...values);
  const low = Math.min(0, ...values);
  const right = width - (axis ? 14 : 0);
  const at = (channel) => left + ((right - left) * channel) / values.length;
  const up = (value) => height - bottom - ((height - bottom - top) * (value - low)) / (high - low);
  context.font = `12px ${style.fontFamily}`;
  context.fillStyle = color("--quiet");
  context.strokeStyle = color("--line");
  for (const value of axis ? [low, (low + high) / 2, high] : [low]) {
    context.beginPath();
    context.moveTo(left, Math.round(up(value)) + 0.5);
    context.lineTo(right, Math.round(up(value)) + 0.5);
    context.stroke();
    context.textAlign = "right";
    if (axis) context.fillText(value.toFixed(2), left - 8, up(value) + 4);
  }
  context.fillStyle = color("--first");
  for (let channel = 0; channel < values.length; channel++) {
    const y = up(values[channel]);
    const wide = Math.max(0.75, at(1) - at(0) - (at(1) - at(0) > 4 ? 1 : 0));
    context.globalAlpha = marked < 0 || marked === channel ? 1 : 0.45;
    context.fillRect(at(channel), Math.min(y, up(0)), wide, Math.max(1, Math.abs(up(0) - y)));
  }
  context.globalAlpha = 1;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  context.strokeStyle = color("--second");
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(left, up(mean));
  context.lineTo(right, up(mean));
  context.stroke();
  if (axis) {
    context.fillStyle = color("--quiet");
    context.textAlign = "left";
    context.fillText("channel 0", left, height - 10);
    context.textAlign = "right";
    context.fillText(String(values.length - 1), right, height - 10);
  }
}

/** The colours of a map from left to right. */
function drawColors(canvas, table) {
  canvas.width = 256;
  canvas.height = 1;
  const context = canvas.getContext("2d");
  const data = new ImageData(256, 1);
  for (let place = 0; place < 256; place++) data.data.set([...table.subarray(3 * place, 3 * place + 3), 255], 4 * place);
  context.putImageData(data, 0, 0);
}

/** The probability of the class of each kept pixel, from 0 to 1, in colours. */
function paintedCertainty(side, table) {
  return painted(...side.scores.shape, (place) => {
    const color = 3 * Math.max(0, Math.min(255, Math.round(255 * valueAt(side.scores, place))));
    return [table[color], table[color + 1], table[color + 2], 255];
  });
}

/** This side's classes where the other side names another one. */
function paintedDifference(side, others) {
  const other = others.find((one) => one !== side);
  const [rows, columns] = side.labels.shape;
  const names = [side, other].map((one) => one.classes.map((each) => each.name));
  return painted(rows, columns, (place) => {
    const label = side.labels.bytes[place];
    const same = names[0][label] === names[1][other.labels.bytes[place]];
    return same ? [0, 0, 0, 0] : [...side.classes[label].color, 255];
  });
}

/** The mark of the pixel on small maps. */
function drawRing(context, x, y) {
  for (const [color, width] of [
    ["#000", 4],
    ["#fff", 2],
  ]) {
    Object.assign(context, { strokeStyle: color, lineWidth: width });
    context.beginPath();
    context.arc(x, y, 6, 0, 2 * Math.PI);
    context.stroke();
  }
}
