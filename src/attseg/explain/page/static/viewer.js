/* The view of one picture by one model or two: attseg.explain.bundle tells what it is made of. */

/**
 * Show what models make of one picture, and what their attention says about each pixel.
 *
 * @param {HTMLElement} element  Where the view goes; what is in it is replaced.
 * @param {object} bundle  As the module attseg.explain.bundle describes it.
 * @param {object} [options]
 * @param {Function} [options.pairwise]  `await pairwise(mapId, x, y)` gives {rows, columns, weights}: the weights of pixel (x, y)
 *     of the picture in a pairwise map; asked only for maps whose pairs are not in the bundle, one at a time for each map.
 * @param {Function} [options.without]  `await without(mapId, how)` gives the SWITCH of a map; asked only where the bundle has none.
 * @param {boolean} [options.link]  Whether the part of the address after "#" follows the view.
 * @param {string} [options.copied]  What is said when the address was copied: where it opens.
 * @returns {Promise<{destroy: () => void}>}  Once all is drawn. `destroy` lets go of keys and address, before another bundle is
 *     mounted.
 */
async function mountViewer(element, bundle, { pairwise, without, link = true, copied = COPIED } = {}) {
  const { picture } = bundle;
  const [image, opened] = await Promise.all([loadImage(picture.source), openBundle(bundle)]);
  const listening = new AbortController();
  const several = opened.sides.length > 1;
  const initial = {
    x: bundle.at ? bundle.at[0] : Math.floor(picture.width / 2),
    y: bundle.at ? bundle.at[1] : Math.floor(picture.height / 2),
    pinned: Boolean(bundle.at),
    opacity: 0.65,
    colors: Object.keys(COLOR_MAPS)[0],
    smooth: true,
    without: null,
    sides: opened.sides.map(() => ({ layer: "prediction", entry: null, turned: false })),
  };
  let view = link ? readLink(location.hash, initial, picture) : initial;
  let active = 0; // the side that keys speak to
  let written = link ? location.hash : "";
  let waiting = 0; // for the address
  let frame = 0;

  const common = {
    picture,
    image,
    grey: greyed(image),
    view: () => view,
    others: opened.sides,
    pairwise,
    without,
    onPick: (layer, place) => {
      active = place;
      pick(layer, place);
    },
    onMove: (x, y, place) => {
      active = place;
      move(x, y);
    },
    onPin: (x, y, place) => {
      active = place;
      view.pinned = true;
      move(x, y);
    },
    onSwitch: (map, how, place) => {
      active = place;
      const again = view.without?.map === map && view.without.how === how; // takes it back
      view.without = again ? null : { map, how };
      if (again) changed();
      else pick("without", place);
    },
    onChange: () => changed(),
  };
  const sides = opened.sides.map((side, place) => makeSide(side, { ...common, place }));

  // --- tools
  const colors = make(
    "select",
    { attributes: { "aria-label": "Colours" } },
    ...Object.keys(COLOR_MAPS).map((name) => make("option", { value: name }, name)),
  );
  colors.onchange = () => changed({ colors: colors.value });
  const opacity = make("input", {
    type: "range",
    min: "0",
    max: "100",
    step: "5",
    attributes: { "aria-label": "Opacity of colours over the picture" },
  });
  opacity.oninput = () => changed({ opacity: opacity.value / 100 });
  const smooth = make("input", { type: "checkbox" });
  smooth.onchange = () => changed({ smooth: smooth.checked });
  const copy = make("button", { type: "button", className: "button", onclick: () => copyLink() }, "Copy link");
  const help = makeHelp(opened);
  const ask = make(
    "button",
    { type: "button", className: "button round", onclick: () => help.showModal(), attributes: { "aria-label": "Help" } },
    "?",
  );
  const spoken = make("p", { className: "unseen", attributes: { role: "status", "aria-live": "polite" } });
  const said = make("span", { className: "said flash", attributes: { role: "status" } });
  const tools = make(
    "div",
    { className: "tools", attributes: { role: "toolbar", "aria-label": "View" } },
    make("label", {}, "Colours", colors),
    make("label", {}, "Opacity", opacity),
    make("label", { className: "check" }, smooth, "Smooth"),
    said,
    ...(link ? [copy] : []),
    ask,
  );
  const about = `${picture.height} × ${picture.width} pixels (height × width)`;
  const models = opened.sides.map((side) => `${side.title} (${side.source})`).join(" and ");
  const root = make(
    "div",
    { className: `viewer ${several ? "two" : "one"}` },
    make(
      "header",
      {},
      make(
        "div",
        { className: "names" },
        make("h1", {}, opened.name),
        make("p", { className: "quiet" }, `${models} · ${about}`),
      ),
      tools,
    ),
    ...(opened.cautions ?? []).map((text) => make("p", { className: "caution" }, text)),
    make("div", { className: "sides" }, ...sides.map((side) => side.element)),
    ...(opened.notes.length ? [make("ul", { className: "notes" }, ...opened.notes.map((note) => make("li", {}, note)))] : []),
    spoken,
    help,
  );
  element.replaceChildren(root);

  // --- what changes
  function changed(values = {}) {
    Object.assign(view, values);
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  }

  function draw() {
    colors.value = view.colors;
    opacity.value = String(Math.round(100 * view.opacity));
    smooth.checked = view.smooth;
    for (const side of sides) side.update();
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      spoken.textContent = sides.map((side) => side.spoken()).join("; ");
      if (link) follow();
    }, LINK_DELAY);
  }

  function follow() {
    written = writeLink(view);
    if (location.hash !== written) history.replaceState(null, "", written);
  }

  function move(x, y) {
    changed({ x: Math.max(0, Math.min(picture.width - 1, x)), y: Math.max(0, Math.min(picture.height - 1, y)) });
  }

  /** Show a layer, also on the other side where it has one of this name. */
  function pick(layer, place) {
    sides.forEach((side, number) => {
      if (number === place || side.layers.some((one) => one.name === layer)) {
        const mine = view.sides[number];
        if (mine.layer !== layer) Object.assign(mine, { layer, entry: null, turned: false });
      }
    });
    changed();
  }

  async function copyLink() {
    follow();
    const went = await copyText(location.href);
    said.textContent = went ? copied : "copy it from the address bar";
    setTimeout(() => {
      said.textContent = "";
    }, 4000);
  }

  // --- keys
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const at = event.target;
    const typed = "input:not([type=checkbox], [type=range]), select, textarea, dialog, [contenteditable]";
    if (at instanceof Element && at.closest(typed)) return;
    if (event.key.startsWith("Arrow") && at instanceof Element && at.matches("[type=range]")) return;
    const step = event.shiftKey ? 10 : 1;
    const side = sides[active];
    const to = (index) => pick(side.layers[(index + side.layers.length) % side.layers.length].name, active);
    const names = Object.keys(COLOR_MAPS);
    const actions = {
      ArrowLeft: () => move(view.x - step, view.y),
      ArrowRight: () => move(view.x + step, view.y),
      ArrowUp: () => move(view.x, view.y - step),
      ArrowDown: () => move(view.x, view.y + step),
      "[": () => to(side.current() - 1),
      "]": () => to(side.current() + 1),
      Escape: () => changed({ pinned: false }),
      "+": () => changed({ opacity: Math.min(1, view.opacity + 0.05) }),
      "=": () => changed({ opacity: Math.min(1, view.opacity + 0.05) }),
      "-": () => changed({ opacity: Math.max(0, view.opacity - 0.05) }),
      c: () => changed({ colors: names[(names.indexOf(view.colors) + 1) % names.length] }),
      s: () => changed({ smooth: !view.smooth }),
      l: () => link && copyLink(),
      "?": () => help.showModal(),
    };
    if (/^[0-9]$/.test(event.key)) {
      const index = (+event.key + 9) % 10;
      if (index < side.layers.length) to(index);
    } else if (Object.hasOwn(actions, event.key)) actions[event.key]();
    else return;
    event.preventDefault();
  }
  const { signal } = listening;
  document.addEventListener("keydown", onKey, { signal });
  root.addEventListener(
    "focusin",
    (event) => sides.forEach((side, place) => side.element.contains(event.target) && (active = place)),
    { signal },
  );
  window.addEventListener("resize", () => changed(), { signal });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => changed(), { signal });
  if (link) {
    window.addEventListener("hashchange", () => location.hash !== written && changed(readLink(location.hash, view, picture)), {
      signal,
    });
  }
  draw();
  return {
    destroy: () => {
      listening.abort();
      clearTimeout(waiting);
      cancelAnimationFrame(frame);
    },
  };
}

function loadImage(source) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("the picture of the bundle cannot be read"));
    image.src = source;
  });
}

/** The dialog with keys and what the kinds of maps mean. */
function makeHelp(bundle) {
  const kinds = new Set(bundle.sides.flatMap((side) => side.maps.map(kindOf)));
  const close = make("button", { type: "button", className: "button" }, "Close");
  const dialog = make(
    "dialog",
    { attributes: { "aria-label": "Help" } },
    make("h2", {}, "Keys"),
    make("dl", { className: "keys" }, ...KEYS.flatMap(([key, text]) => [make("dt", {}, key), make("dd", {}, text)])),
    make("h2", {}, "What the maps show"),
    make(
      "dl",
      {},
      ...Object.keys(KINDS)
        .filter((kind) => kinds.has(kind))
        .flatMap((kind) => [make("dt", {}, TITLES[kind]), make("dd", {}, KINDS[kind].text)]),
    ),
    make(
      "p",
      { className: "quiet" },
      "Attention says what the network weighed, not why it decided. Values are rounded to 255 steps between the lowest and " +
        "the highest of their map; those of pairs, between 0 and the highest of their pixel.",
    ),
    close,
  );
  close.onclick = () => dialog.close();
  return dialog;
}
