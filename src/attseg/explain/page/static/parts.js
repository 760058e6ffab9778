/* Parts of a side that know nothing of it: the tabs, and the strip that tells what colours stand for. */

/**
 * Tabs as the guides for accessible pages want them: arrows move among them, and only the chosen one is in the order of Tab.
 *
 * @param {{name: string, title: string}[]} layers
 * @param {string} panelId  Of the element that they control.
 * @param {(name: string) => void} onPick
 * @returns {{element: HTMLElement, choose: (index: number) => void}}
 */
function makeTabs(layers, panelId, onPick) {
  let chosen = 0;
  const tabs = layers.map((layer, index) =>
    make(
      "button",
      {
        type: "button",
        className: "tab",
        title: layer.name,
        onclick: () => onPick(layer.name),
        attributes: { role: "tab", "aria-controls": panelId, "data-layer": layer.name },
      },
      make("span", { className: "key", attributes: { "aria-hidden": "true" } }, index < 10 ? String((index + 1) % 10) : ""),
      layer.title,
    ),
  );
  const list = make("div", { className: "tabs", attributes: { role: "tablist", "aria-label": "What is shown" } }, ...tabs);
  const pushes = [-1, 1].map((way) =>
    make("button", {
      type: "button",
      className: `more ${way < 0 ? "before" : "after"}`,
      textContent: way < 0 ? "‹" : "›",
      tabIndex: -1, // keys move among the tabs themselves
      hidden: true,
      onclick: () => list.scrollBy({ left: way * 0.7 * list.clientWidth, behavior: "smooth" }),
      attributes: { "aria-hidden": "true" },
    }),
  );
  const element = make("div", { className: "tabs-frame" }, list, ...pushes);
  const tellMore = () => {
    pushes[0].hidden = list.scrollLeft < 4;
    pushes[1].hidden = list.scrollLeft + list.clientWidth > list.scrollWidth - 4;
  };
  list.onscroll = tellMore;
  new ResizeObserver(tellMore).observe(list);
  list.onkeydown = (event) => {
    const count = layers.length;
    const goals = { ArrowLeft: (chosen + count - 1) % count, ArrowRight: (chosen + 1) % count, Home: 0, End: count - 1 };
    if (!Object.hasOwn(goals, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    onPick(layers[goals[event.key]].name);
    tabs[goals[event.key]].focus();
  };
  const choose = (index) => {
    chosen = index;
    tabs.forEach((tab, place) => {
      tab.setAttribute("aria-selected", String(place === index));
      tab.tabIndex = place === index ? 0 : -1;
    });
    const tab = tabs[index]; // brought into sight where the tabs do not fit, as on phones
    const [start, end] = [tab.offsetLeft - 40, tab.offsetLeft + tab.offsetWidth + 40 - list.clientWidth];
    list.scrollLeft = Math.max(end, Math.min(start, list.scrollLeft));
  };
  return { element, choose };
}

/**
 * The colours from low to high, with a needle at the pixel's value.
 *
 * @returns {{element: HTMLElement, update: (low: number, high: number, table: Uint8Array, value: number | null) => void}}
 */
function makeScale() {
  const colors = make("canvas", { className: "colors" });
  const needle = make("span", { className: "needle" });
  const [lowest, highest] = [make("span", { className: "figure" }), make("span", { className: "figure" })];
  const ramp = make("div", { className: "ramp" }, colors, needle);
  const element = make("div", { className: "scale", attributes: { "aria-hidden": "true" } }, lowest, ramp, highest);
  const update = (low, high, table, value) => {
    drawColors(colors, table);
    lowest.textContent = number(low);
    highest.textContent = number(high);
    needle.hidden = value === null;
    if (value !== null) needle.style.left = `${(100 * (value - low)) / Math.max(high - low, 1e-30)}%`;
  };
  return { element, update };
}
