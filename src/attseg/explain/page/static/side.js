/* One model's view of the picture: layers, the chosen pixel, and a card a map. */

const BACKING = 1400; // pixels along the longer side that a canvas has at least, so that it is sharp where it is shown large

const MINI_WIDTH = 320; // of the maps on cards

/**
 * @param {object} side  As `openBundle` gives it.
 * @param {object} common  What both sides share: `picture`, `image` (loaded), `grey`, `view` (see viewer.js), `others` (all
 *     sides of the bundle), `pairwise`, and what happens: `onPick(layer, place)`, `onMove(x, y, place)`, `onPin(x, y, place)`, `onSwitch(map, how, place)`,
 *     `onChange()`; and `place`, which of them this one is.
 */
function makeSide(side, common) {
  const { picture, view, place } = common;
  const mine = () => view().sides[place];
  const titles = side.maps.map((map) => map.title);
  const base = ["picture", "prediction", ...(side.truth ? ["truth"] : []), "certainty", ...(common.others.length > 1 ? ["difference"] : [])];
  const without = makeWithout(side, common, titles);
  if (without.any) base.push("without");
  const layers = [
    ...base.map((name) => ({ name, map: null, ...LAYERS[name] })),
    ...side.maps.map((map, index) => ({ name: map.name, map, title: titles[index] })),
  ];
  const labels = { prediction: paintedLabels(side, side.labels), truth: side.truth && paintedLabels(side, side.truth) };
  const pairs = makePairs(side, common, () => update());
  let table = null;
  let channel = null; // the scale, class or channel that was last shown, as a grid
  let difference = null;
  let grey = null; // the picture without colours, as large as the canvas
  let drawn = ""; // what the stage shows, so that it is painted again only when that changes

  // --- elements
  const canvas = make("canvas", {
    className: "picture",
    tabIndex: 0,
    attributes: {
      role: "application",
      "aria-roledescription": "picture",
      "aria-label": `${side.title}: the picture, pixel by pixel. Arrow keys move the pixel, question mark shows all keys.`,
    },
  });
  const kept = [side.labels.shape[1], side.labels.shape[0]];
  const times = Math.max(1, Math.round(BACKING / Math.max(...kept)));
  [canvas.width, canvas.height] = kept.map((length) => length * times);
  const chart = make("canvas", { className: "chart", hidden: true, tabIndex: 0, attributes: { role: "img" } });
  const ring = make("div", { className: "ring", attributes: { "aria-hidden": "true" } });
  const tip = make("div", { className: "tip", hidden: true, attributes: { "aria-hidden": "true" } });
  const panelId = `stage-${place}-${Math.random().toString(36).slice(2, 8)}`;
  const box = make("div", { className: "box", id: panelId, attributes: { role: "tabpanel" } }, canvas, chart, ring, tip);
  const tabs = makeTabs(layers, panelId, (layer) => common.onPick(layer, place));
  const readout = make("div", { className: "readout" });
  const caption = make("p", { className: "caption" });
  const entry = make("select", { className: "entry", attributes: { "aria-label": "Which one" } });
  entry.onchange = () => {
    mine().entry = +entry.value;
    common.onChange();
  };
  const turn = make("button", { type: "button", className: "quiet-button" });
  turn.onclick = () => {
    mine().turned = !mine().turned;
    common.onChange();
  };
  const scale = makeScale();
  const legend = make(
    "ul",
    { className: "legend", attributes: { "aria-label": "Classes in the picture" } },
    ...legendItems(side),
  );
  const changes = make("ul", { className: "legend", hidden: true, attributes: { "aria-label": "Classes with all maps and without" } });
  const under = make(
    "div",
    { className: "under" },
    make("div", { className: "choices" }, entry, turn),
    scale.element,
    legend,
    changes,
    caption,
  );
  const cards = side.maps.map((map, index) => makeCard(map, titles[index], side, () => common.onPick(map.name, place)));
  side.maps.forEach((map, index) => {
    const switches = without.switches(map);
    if (switches) cards[index].element.append(switches);
  });
  const empty = make("p", { className: "said" }, "This model has no attention to look at; PAN, PSANet, DFDAM and AttentionToRefine have.");
  const element = make(
    "section",
    { className: "side", attributes: { "aria-label": side.title } },
    make("h2", {}, side.title, make("small", {}, side.source)),
    make("div", { className: "stage" }, make("div", { className: "hold" }, tabs.element, box, readout), under),
    make(
      "div",
      { className: "cards", attributes: { "aria-label": "What each map says about the pixel" } },
      ...(cards.length ? cards.map((card) => card.element) : [empty]),
    ),
  );

  element.style.setProperty("--ratio", picture.width / picture.height);

  // --- pointer
  const pixel = (event) => {
    const area = canvas.getBoundingClientRect();
    const at = (offset, length, count) => Math.max(0, Math.min(count - 1, Math.floor((offset / length) * count)));
    return [
      at(event.clientX - area.left, area.width, picture.width),
      at(event.clientY - area.top, area.height, picture.height),
    ];
  };
  canvas.onpointermove = (event) => {
    const [x, y] = pixel(event);
    if (event.pointerType === "mouse") {
      const found = decisionAt(side, picture, x, y);
      tip.textContent = `${side.classes[found.label].name} ${percent(found.score)}`;
      tip.hidden = false;
      tip.style.left = `${event.offsetX}px`;
      tip.style.top = `${event.offsetY}px`;
      tip.classList.toggle("leftwards", event.offsetX > 0.6 * canvas.clientWidth);
      if (!view().pinned) common.onMove(x, y, place);
    } else if (event.pressure > 0) common.onPin(x, y, place);
  };
  canvas.onpointerleave = () => {
    tip.hidden = true;
  };
  canvas.onpointerdown = (event) => {
    if (event.button === 0) common.onPin(...pixel(event), place);
  };
  chart.onpointermove = (event) => {
    const map = layers[current()].map;
    const share = (event.offsetX - 44) / (chart.clientWidth - 58);
    const channel = Math.floor(share * map.values.shape[0]);
    const values = valuesAt(side, map, view().x, view().y);
    const inside = channel >= 0 && channel < values.length;
    drawChart(chart, values, { axis: true, marked: inside ? channel : -1 });
    tip.hidden = !inside;
    tip.textContent = inside ? `channel ${channel}: ${number(values[channel])}` : "";
    tip.style.left = `${event.offsetX}px`;
    tip.style.top = `${event.offsetY}px`;
    tip.classList.toggle("leftwards", event.offsetX > 0.6 * chart.clientWidth);
  };
  chart.onpointerleave = () => {
    tip.hidden = true;
    drawStage();
  };

  // --- what is shown
  const names = layers.map((layer) => layer.name);
  const current = () => Math.max(0, names.indexOf(mine().layer));

  /** Which scale, class or channel of a map the stage shows. */
  const shownEntry = (map, decision) => {
    const channels = map.values.shape[0];
    const chosen = mine().entry;
    if (map.kind === "class")
      return chosen !== null && chosen >= 0 && chosen < channels ? chosen : Math.min(decision.label, channels - 1);
    if (chosen !== null && chosen < channels) return chosen;
    return map.kind === "scale" || channels === 1 ? 0 : -1;
  };

  const extentOf = (map, grid) =>
    [1, 0].map((axis) => {
      const cells = axis ? grid.columns : grid.rows;
      const whole = axis ? picture.width : picture.height;
      return (cells * map.pool * side.seen[axis]) / map.size[axis] / whole;
    });
  const heatOf = (map, grid, { low, high }, longest) =>
    paintedHeat(grid, {
      low,
      high,
      longest,
      table,
      smooth: view().smooth,
      extent: extentOf(map, grid),
      ratio: picture.width / picture.height,
    });
  const overGrey = (target, layer, exact = false) => {
    const context = target.getContext("2d");
    cover(context, target === canvas ? (grey ??= enlarged(common.grey, canvas)) : common.grey);
    if (layer) cover(context, layer, { opacity: view().opacity, exact, quality: "low" });
  };

  /** Grid and range of what the stage shows of a map, or null. */
  const shownGrid = (map, decision) => {
    if (map.pairs) {
      const grid = pairs.of(map, mine().turned);
      return grid && { grid, ...pairRange(grid) };
    }
    const chosen = shownEntry(map, decision);
    const key = `${map.id} ${chosen}`;
    if (channel?.key !== key) {
      const grid = channelGrid(map, chosen);
      const unit = map.kind === "scale" || map.kind === "class";
      channel = { key, grid, ...(unit ? { low: Math.min(0, map.values.low), high: Math.max(1, map.values.high) } : valueRange(grid.weights)) };
    }
    return channel;
  };

  function drawStage() {
    const { map, name, text } = layers[current()];
    const { x, y } = view();
    const decision = decisionAt(side, picture, x, y);
    const isChart = map?.kind === "channel" || map?.kind === "channel-pairs";
    chart.hidden = !isChart;
    canvas.hidden = ring.hidden = isChart;
    legend.hidden = !["prediction", "truth", "difference"].includes(name);
    without.update();
    changes.hidden = name !== "without";
    if (name === "without") changes.replaceChildren(...without.legend());
    const entryNow = map?.values && !isChart ? shownEntry(map, decision) : null;
    const stamp = JSON.stringify([
      name,
      entryNow,
      mine().turned,
      view().opacity,
      view().colors,
      view().smooth,
      without.stamp(),
      map?.pairs && pairs.of(map, mine().turned)?.stamp,
    ]);
    const stale = stamp !== drawn;
    drawn = stamp;
    let shown = null;
    if (isChart) {
      drawChart(chart, valuesAt(side, map, x, y), { axis: true });
      chart.setAttribute("aria-label", `${map.name}: ${map.values.shape[0]} channel weights`);
    } else if (map) {
      shown = shownGrid(map, decision);
      if (stale) overGrey(canvas, shown && heatOf(map, shown.grid, shown));
    } else {
      if (name === "certainty") shown = { low: 0, high: 1 };
      if (stale) drawBase(name);
    }
    ring.style.left = `${(100 * (x + 0.5)) / picture.width}%`;
    ring.style.top = `${(100 * (y + 0.5)) / picture.height}%`;
    ring.classList.toggle("pinned", view().pinned);
    drawUnder(map, shown, decision);
    caption.textContent = map ? mapText(map, mine().turned) : name === "without" ? without.said() : text;
  }

  /** The layers that no map gives. */
  function drawBase(name) {
    const context = canvas.getContext("2d");
    if (name === "difference") overGrey(canvas, (difference ??= paintedDifference(side, common.others)), true);
    else if (name === "without") overGrey(canvas, without.picture(), true);
    else if (name === "certainty") overGrey(canvas, paintedCertainty(side, table), true);
    else {
      cover(context, common.image);
      if (labels[name]) cover(context, labels[name], { opacity: view().opacity, exact: true });
    }
  }

  /** What stands below the picture: which entry, the colours and where among them the pixel lies. */
  function drawUnder(map, shown, decision) {
    scale.element.hidden = !shown;
    const entries = map && !map.pairs && map.kind !== "channel" && map.kind !== "channel-pairs" && map.values.shape[0] > 1;
    entry.hidden = !entries;
    if (entries) {
      if (entry.dataset.map !== map.id) {
        const first = { class: "the pixel's class", spatial: entryName(map, -1) }[map.kind];
        const follow = first ? [["-1", first]] : [];
        const all = Array.from({ length: map.values.shape[0] }, (_, index) => [String(index), entryName(map, index)]);
        entry.replaceChildren(...[...follow, ...all].map(([value, name]) => make("option", { value }, name)));
        entry.dataset.map = map.id;
      }
      entry.value = String(mine().entry ?? (map.kind === "scale" ? 0 : -1));
    }
    turn.hidden = !(map?.pairs?.values && map.pairs.step === 1);
    turn.textContent = "The other way round";
    turn.setAttribute("aria-pressed", String(mine().turned));
    if (!shown) return;
    const value = !map ? decision.score : map.pairs ? null : entryValue(map, decision);
    scale.update(shown.low, shown.high, table, value);
  }
  const entryValue = (map, decision) => {
    const values = valuesAt(side, map, view().x, view().y);
    const chosen = shownEntry(map, decision);
    return chosen < 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : values[chosen];
  };

  function drawReadout(decision) {
    const { x, y, pinned } = view();
    const second = side.classes.length > 1 && decision.secondScore >= 0.0005;
    readout.replaceChildren(
      make("span", { className: "where figure" }, `${x}, ${y}`),
      make("strong", {}, swatch(side.classes[decision.label].color), side.classes[decision.label].name),
      make("span", { className: "figure" }, percent(decision.score)),
      ...(second
        ? [make("span", { className: "next" }, `then ${side.classes[decision.second].name} ${percent(decision.secondScore)}`)]
        : []),
      ...(decision.truth === null ? [] : [make("span", { className: "next truth" }, decision.truth)]),
      ...(pinned ? [make("span", { className: "kept" }, "kept")] : []),
    );
  }

  function drawCards(decision) {
    const { x, y } = view();
    side.maps.forEach((map, index) => {
      const card = cards[index];
      card.element.classList.toggle("chosen", map.name === mine().layer);
      if (!map.pairs) {
        card.update({ values: valuesAt(side, map, x, y), decision });
        return;
      }
      const grid = pairs.of(map, false);
      const stamp = JSON.stringify([grid?.stamp, view().opacity, view().colors, view().smooth]);
      if (stamp === card.drawn) return;
      card.drawn = stamp;
      card.update({
        said: grid ? pairsSaid(summary(side, map, grid, grid.x, grid.y)) : "…",
        draw: (target) => {
          [target.width, target.height] = [MINI_WIDTH, Math.max(1, Math.round((MINI_WIDTH * picture.height) / picture.width))];
          overGrey(target, grid && heatOf(map, grid, pairRange(grid), Math.max(target.width, target.height)));
          if (!grid) return;
          const [left, top] = [((grid.x + 0.5) / picture.width) * target.width, ((grid.y + 0.5) / picture.height) * target.height];
          drawRing(target.getContext("2d"), left, top);
        },
      });
    });
  }

  function update() {
    if (table?.name !== view().colors) {
      table = colorTable(view().colors);
      table.name = view().colors;
    }
    tabs.choose(current());
    const decision = decisionAt(side, picture, view().x, view().y);
    drawStage();
    drawReadout(decision);
    drawCards(decision);
  }

  /** What a screen reader says of the pixel. */
  const spoken = () => {
    const { x, y } = view();
    const decision = decisionAt(side, picture, x, y);
    return `${side.title}, pixel ${x}, ${y}: ${side.classes[decision.label].name}, ${percent(decision.score)}`;
  };
  return { element, canvas, layers, current, update, spoken };
}
