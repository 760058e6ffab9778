/* What a prediction becomes without a map: the pixels and classes that change, and by how much. */

const WAYS = {
  off: { title: "Off", text: "switch it off" },
  even: { title: "Even", text: "make all its weights equal" },
  other: { title: "The other model's", text: "put the other model's map in its place" },
};

const MOST_MOVES = 4; // that are named

/**
 * @param {object} side  As `openBundle` gives it.
 * @param {object} common  As of `makeSide`. `view().without` is the switch that is shown, {map, how}, or null; `onSwitch(map, how, place)`
 *     shows another, `without(mapId, how)` gives a SWITCH where the bundle has none.
 * @param {string[]} titles  What the maps are called.
 */
function makeWithout(side, common, titles) {
  const other = common.others.find((one) => one !== side);
  const known = new Map(); // by map and way: what became of it
  const buttons = [];
  let shown = null; // {map, how, title, state, ...}

  const kept = (map, how) => side.switches?.find((one) => one.map === map.name && one.how === how);
  const fits = (map) => other?.maps.some((one) => one.name === map.name && String(one.size) === String(map.size));
  const ways = (map) =>
    Object.keys(WAYS).filter((how) => (side.switches ? kept(map, how) : common.without && (how !== "other" || fits(map))));

  const load = async (map, how, entry) => {
    try {
      const found = kept(map, how) ?? (await common.without(map.id, how));
      const { bytes } = await readPlane(found.labels);
      const picture = painted(...side.labels.shape, (place) =>
        bytes[place] === side.labels.bytes[place] ? [0, 0, 0, 0] : [...side.classes[bytes[place]].color, 255],
      );
      Object.assign(entry, found, changesOf(side, bytes), { painted: picture, state: "there" });
    } catch {
      known.delete(`${map.name} ${how}`); // whoever answers says what went wrong
      entry.state = "failed";
    }
    common.onChange();
  };

  /** Follow what is asked for. */
  const update = () => {
    const { map: name, how } = common.view().without ?? {};
    for (const one of buttons) one.button.setAttribute("aria-pressed", String(one.map === name && one.how === how));
    if (!name) shown = null;
    else if (shown?.map !== name || shown.how !== how) {
      const key = `${name} ${how}`;
      const map = side.maps.find((one) => one.name === name);
      if (!known.has(key)) {
        const able = map && ways(map).includes(how);
        const entry = { map: name, how, title: map ? titles[side.maps.indexOf(map)] : name, state: able ? "waiting" : "missing" };
        known.set(key, entry);
        if (able) load(map, how, entry);
      }
      shown = known.get(key);
    }
  };

  /** The buttons of a map's card; null where it cannot be switched. */
  const switches = (map) => {
    const own = ways(map).map((how) => {
      const button = make(
        "button",
        { type: "button", className: "quiet-button", title: `See what changes: ${WAYS[how].text}`, onclick: () => common.onSwitch(map.name, how, common.place) },
        WAYS[how].title,
      );
      buttons.push({ button, map: map.name, how });
      return button;
    });
    return own.length ? make("div", { className: "ways", attributes: { role: "group" } }, make("span", {}, "Without this map"), ...own) : null;
  };

  /** What is said below the picture. */
  const said = () => {
    if (!shown) return "Choose Off or Even on the card of a map: pixels that change get the colour of their new class.";
    const what = `${shown.title}, ${WAYS[shown.how].title.toLowerCase()}${shown.means ? ` (${shown.means})` : ""}`;
    if (shown.state === "missing") return `${shown.title}: this model has no such map to switch, or none that fits.`;
    if (shown.state === "waiting") return `${what} …`;
    if (shown.state === "failed") return `${what}: this could not be computed.`;
    const moves = shown.moves.slice(0, MOST_MOVES).map(([from, to, share]) => `${from} to ${to} ${percent(share)}`);
    const list = moves.length ? ` Most of them: ${moves.join(", ")} of the picture.` : "";
    return `${what}: ${percent(shown.share)} of the pixels change class, and ${percent(shown.moved)} of the probability moves.${list}`;
  };

  /** The legend: the share of each class with and without. */
  const legend = () =>
    (shown?.areas ?? []).map(({ one, before, after }) =>
      make(
        "li",
        {},
        swatch(one.color),
        make("span", {}, one.name),
        make("span", { className: "figure quiet" }, `${percent(before)} → ${percent(after)}`),
      ),
    );
  return {
    switches,
    update,
    said,
    legend,
    picture: () => shown?.painted ?? null,
    stamp: () => (shown ? `${shown.map} ${shown.how} ${shown.state}` : ""),
    any: side.maps.some((map) => ways(map).length > 0),
  };
}

/** Shares of classes with all maps (labels of the side) and without (bytes), and which went where, the largest first. */
function changesOf(side, bytes) {
  const before = side.labels.bytes;
  const [areas, pairs] = [new Map(), new Map()];
  const count = (map, key, place) => {
    if (!map.has(key)) map.set(key, [0, 0]);
    map.get(key)[place] += 1 / bytes.length;
  };
  for (let place = 0; place < bytes.length; place++) {
    count(areas, before[place], 0);
    count(areas, bytes[place], 1);
    if (before[place] !== bytes[place]) count(pairs, 256 * before[place] + bytes[place], 0);
  }
  const name = (label) => side.classes[label].name;
  return {
    areas: [...areas]
      .map(([label, [one, other]]) => ({ one: side.classes[label], before: one, after: other }))
      .sort((one, other) => Math.abs(other.after - other.before) - Math.abs(one.after - one.before)),
    moves: [...pairs]
      .map(([key, [share]]) => [name(key >> 8), name(key & 255), share])
      .sort((one, other) => other[2] - one[2]),
  };
}
