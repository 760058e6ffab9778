/* What each map says about one pixel: a card a map, drawn by its kind. */

const MOST_LISTED = 12; // classes on a card before the rest is folded away

/** An element with properties, attributes (in `attributes`) and children; texts become text and nothing else. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { attributes = {}, ...rest } = properties;
  Object.assign(element, rest);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A dotted name that breaks after its dots where it does not fit. */
function breakable(name) {
  return name.split(/(?<=\.)/).flatMap((part, index) => (index ? [make("wbr"), part] : [part]));
}

function swatch(color) {
  const element = make("span", { className: "swatch", attributes: { "aria-hidden": "true" } });
  element.style.background = `rgb(${color.join(",")})`;
  return element;
}

/**
 * A card for a map. `body` is what `update(values)` changes.
 *
 * @returns {{element: HTMLElement, update: Function}}
 */
function makeCard(map, title, side, onShow) {
  const heading = make("button", { className: "card-title", type: "button", onclick: onShow }, title);
  const name = make("p", { className: "origin" }, KINDS[kindOf(map)].brief, make("code", {}, ...breakable(map.name)));
  const body = make("div", { className: "card-body" });
  const element = make(
    "article",
    { className: "card", attributes: { "data-map": map.id } },
    make("h3", {}, heading),
    name,
    body,
  );
  const fill = { scale: barsCard, class: classCard, channel: channelCard, "channel-pairs": channelCard, spatial: spatialCard, pairwise: pairsCard }[map.kind];
  return { element, heading, update: fill(body, map, side) };
}

function bar(label, value, high, { strong = false, color = null } = {}) {
  const track = make("span", { className: "track" });
  const inner = make("span", { className: "inner" });
  inner.style.width = `${(100 * Math.max(0, Math.min(1, value / high))).toFixed(1)}%`;
  track.append(inner);
  const text = make("span", { className: "bar-name", title: label }, ...(color ? [swatch(color)] : []), label);
  return make(
    "div",
    { className: `bar${strong ? " strong" : ""}` },
    text,
    track,
    make("span", { className: "figure" }, number(value)),
  );
}

function barsCard(body, map) {
  return ({ values }) => {
    const best = values.indexOf(Math.max(...values));
    body.replaceChildren(
      ...Array.from(values, (value, index) => bar(entryName(map, index), value, 1, { strong: index === best })),
    );
  };
}

function classCard(body, map, side) {
  let all = false;
  const order = side.classes.map((_, index) => index).sort((one, other) => side.classes[other].area - side.classes[one].area);
  const update = ({ values, decision }) => {
    const high = Math.max(1, map.values.high);
    const shown = all
      ? order
      : order.filter((index, place) => place < MOST_LISTED || index === decision.label || index === decision.second);
    const bars = shown
      .filter((index) => index < values.length)
      .map((index) =>
        bar(entryName(map, index), values[index], high, {
          strong: index === decision.label,
          color: side.classes[index]?.color,
        }),
      );
    const rest = order.length - shown.length;
    const more = make("button", { className: "quiet-button", type: "button" }, all ? "Show fewer" : `${rest} more classes`);
    more.onclick = () => {
      all = !all;
      update({ values, decision });
    };
    body.replaceChildren(...bars, ...(rest || all ? [more] : []));
  };
  return update;
}

function channelCard(body, map) {
  const largest = map.kind === "channel" ? "widest open is" : "largest is";
  const chart = make("canvas", { className: "spark", attributes: { "aria-hidden": "true" } });
  const text = make("p", { className: "said" });
  body.append(chart, text);
  return ({ values }) => {
    drawChart(chart, values);
    const sum = values.reduce((total, value) => total + value, 0);
    const best = values.indexOf(Math.max(...values));
    text.textContent = `mean ${number(sum / values.length)}; ${largest} channel ${best} (${number(values[best])})`;
  };
}

function spatialCard(body, map) {
  const value = make("span", { className: "large figure" });
  const range = make("span", { className: "said" });
  const track = make("span", { className: "track" });
  const inner = make("span", { className: "inner" });
  track.append(inner);
  const many = map.values.shape[0] > 1;
  const chart = make("canvas", { className: "spark", attributes: { "aria-hidden": "true" } });
  body.append(make("div", { className: "row" }, value, range), many ? chart : track);
  return ({ values }) => {
    const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
    const { low, high } = map.values;
    value.textContent = number(mean);
    range.textContent = many ? `mean of ${values.length} channels` : `of ${number(low)} to ${number(high)}`;
    if (many) drawChart(chart, values);
    inner.style.width = `${(100 * (mean - low)) / Math.max(high - low, 1e-30)}%`;
  };
}

function pairsCard(body) {
  const canvas = make("canvas", { className: "mini", attributes: { "aria-hidden": "true" } });
  const text = make("p", { className: "said" });
  body.append(canvas, text);
  return ({ draw, said }) => {
    draw(canvas);
    text.textContent = said;
  };
}

/** A pairwise map at a pixel, in a sentence. */
function pairsSaid(found) {
  const times = found.times === null ? "" : ` (${found.times.toFixed(found.times >= 9.95 ? 0 : 1)} × an even share)`;
  const strongest = `strongest at ${found.x}, ${found.y} with ${number(found.peak)}${times}`;
  return `${strongest}; on itself ${number(found.own)}; sum ${number(found.sum)}`;
}

/** The classes of a picture, the largest first, with the share of each. */
function legendItems(side) {
  const present = side.classes.filter((one) => one.area > 0).sort((one, other) => other.area - one.area);
  return present.map((one) =>
    make(
      "li",
      {},
      swatch(one.color),
      make("span", {}, one.name),
      make("span", { className: "figure quiet" }, percent(one.area)),
    ),
  );
}
