/* The part of the address after "#", which reproduces a view: pixel, layers, opacity, colours. */

/* Where the address of a page opens: a file is on one computer alone. */
const COPIED = location.protocol === "file:" ? "copied; it opens on this computer" : "copied";

const LINK_DELAY = 200; // milliseconds of rest after which the address follows the view; browsers allow few changes a second

/** A view as text: #at=120,80&pin=1&show=context.pyramid&opacity=60&colors=viridis */
function writeLink(view) {
  const values = new URLSearchParams();
  values.set("at", `${view.x},${view.y}`);
  if (view.pinned) values.set("pin", "1");
  view.sides.forEach((side, number) => {
    const end = number ? "2" : "";
    values.set(`show${end}`, side.layer);
    if (side.entry !== null) values.set(`entry${end}`, side.entry);
    if (side.turned) values.set(`turned${end}`, "1");
  });
  values.set("opacity", Math.round(100 * view.opacity));
  values.set("colors", view.colors);
  if (!view.smooth) values.set("cells", "1");
  if (view.without) values.set("without", `${view.without.how} ${view.without.map}`);
  return `#${values}`;
}

/** What a text says of a view; what is missing or makes no sense is left as it is in `view`. */
function readLink(text, view, picture) {
  const values = new URLSearchParams(text.replace(/^#/, ""));
  if (![...values.keys()].length) return view;
  const place = /^(\d+),(\d+)$/.exec(values.get("at") ?? "");
  const read = { ...view };
  if (place && +place[1] < picture.width && +place[2] < picture.height) [read.x, read.y] = [+place[1], +place[2]];
  read.pinned = values.get("pin") === "1";
  read.sides = view.sides.map((side, number) => {
    const end = number ? "2" : "";
    const entry = /^-?\d+$/.exec(values.get(`entry${end}`) ?? "");
    return {
      layer: values.get(`show${end}`) ?? side.layer,
      entry: entry ? +entry[0] : null,
      turned: values.get(`turned${end}`) === "1",
    };
  });
  const opacity = /^\d+$/.exec(values.get("opacity") ?? "");
  if (opacity) read.opacity = Math.min(100, +opacity[0]) / 100;
  if (Object.hasOwn(COLOR_MAPS, values.get("colors") ?? "")) read.colors = values.get("colors");
  const switched = /^(off|even|other) (.+)$/.exec(values.get("without") ?? "");
  read.without = switched && { how: switched[1], map: switched[2] };
  read.smooth = values.get("cells") !== "1";
  return read;
}

/** Copy a text, also from a page that was opened from disk; whether it went. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const went = document.execCommand("copy");
    area.remove();
    return went;
  }
}
