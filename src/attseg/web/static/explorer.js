/* The page around the view: where pictures come from, which models look at them, and what went wrong, in words. */
"use strict";

(() => {
  const RETRIES = 30; // where the server says that it is crowded
  const SHOWN_FILES = 400; // of a folder at once; a part of a name finds the others
  const byId = (id) => document.getElementById(id);
  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const token = readToken();
  const pictures = new Map(); // by key, in the order in which they came
  let start = null; // what the server offers
  let current = null; // key of the picture that is shown
  let mounted = null;
  let turn = 0; // counts what was asked for, so that a late answer does not replace a later one
  let ticking = 0;

  /** The token stands in the address once, and stays in this tab. */
  function readToken() {
    const found = new URLSearchParams(location.hash.slice(1)).get("token");
    if (found) {
      sessionStorage.setItem("token", found);
      history.replaceState(null, "", location.pathname + location.search);
    }
    return found ?? sessionStorage.getItem("token") ?? "";
  }

  // --- asking the server

  async function ask(path, options = {}) {
    for (let tries = 0; ; tries++) {
      const answer = await fetch(path, { ...options, headers: { "X-Attseg-Token": token } }).catch(() => {
        throw new Error("The server does not answer. If it was stopped, start `attseg explore` again and open the address that it prints.");
      });
      if (answer.ok) return answer;
      const told = await answer.json().catch(() => ({ error: `The server answered ${answer.status}.` }));
      const wait = Number(answer.headers.get("Retry-After"));
      if (!wait || tries >= RETRIES) throw Object.assign(new Error(told.error), { status: answer.status });
      await new Promise((resolve) => setTimeout(resolve, 1000 * wait * (0.5 + Math.random())));
    }
  }

  const askJson = async (path, options) => (await ask(path, options)).json();

  // --- saying what happens

  function say(text) {
    clearInterval(ticking);
    byId("busy").hidden = !text;
    if (!text) return;
    const began = Date.now();
    const tick = () => {
      const seconds = Math.floor((Date.now() - began) / 1000);
      byId("busy-text").textContent = seconds < 1 ? `${text} …` : `${text} … ${seconds} s`;
    };
    tick();
    ticking = setInterval(tick, 500);
  }

  function complain(error) {
    const text = error.message || String(error);
    const begun = /^(a|the|there|this|too) /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text; // names of files stay as they are
    byId("problem").firstElementChild.textContent = begun;
    byId("problem").hidden = false;
  }

  /** Do something that was asked for; what goes wrong is told, unless something else was asked for meanwhile. */
  async function attempt(text, work) {
    const mine = ++turn;
    byId("problem").hidden = true;
    say(text);
    byId("view").classList.add("stale");
    try {
      await work(() => mine === turn, say);
    } catch (error) {
      if (mine === turn) complain(error);
    } finally {
      if (mine === turn) {
        say("");
        byId("view").classList.remove("stale");
      }
    }
  }

  // --- pictures

  function remember(picture) {
    pictures.delete(picture.key);
    pictures.set(picture.key, picture);
    while (pictures.size > start.limits.kept_pictures) pictures.delete(pictures.keys().next().value);
  }

  function drawKept() {
    const items = [...pictures.values()].reverse().map((picture) => {
      const image = element("img", { src: picture.small, alt: "", draggable: false });
      const pick = element("button", { type: "button", className: "pick", title: picture.name, onclick: () => show(picture.key) }, image);
      pick.setAttribute("aria-label", picture.name);
      pick.setAttribute("aria-current", String(picture.key === current));
      const away = element("button", { type: "button", className: "away", title: "Forget this picture", onclick: () => forget(picture.key) }, "×");
      away.setAttribute("aria-label", `Forget ${picture.name}`);
      return element("span", { className: "item" }, pick, away);
    });
    byId("kept").replaceChildren(...items);
    byId("kept").hidden = items.length === 0;
    byId("welcome").hidden = items.length > 0;
  }

  async function forget(key) {
    pictures.delete(key);
    await ask(`/api/pictures/${key}`, { method: "DELETE" }).catch(complain);
    if (key === current) {
      current = null;
      unmount();
      const last = [...pictures.keys()].pop();
      if (last) show(last);
    }
    drawKept();
  }

  function show(key) {
    return attempt("", (isLatest, tell) => present(key, isLatest, tell));
  }

  /** Keep a picture on the server, then show what the models make of it. */
  function bring(text, path, options) {
    return attempt(text, async (isLatest, tell) => {
      const picture = await askJson(path, { method: "POST", ...options });
      remember(picture);
      drawKept();
      if (isLatest()) await present(picture.key, isLatest, tell);
    });
  }

  async function openFiles(files) {
    const most = start.limits.upload_bytes;
    const chosen = [...files];
    for (const file of chosen) {
      const text = `Reading ${file.name}`;
      if (file.size > most) {
        const size = (file.size / 2 ** 20).toFixed(1);
        await attempt("", () => Promise.reject(new Error(`${file.name} has ${size} MiB; at most ${most / 2 ** 20} MiB are taken: save it smaller, as a JPEG say.`)));
      } else {
        await bring(text, `/api/pictures?name=${encodeURIComponent(file.name.slice(0, 120))}`, { body: file });
      }
    }
  }

  function showScene(step) {
    const field = byId("seed");
    const seed = Math.min(start.scene.last_seed, Math.max(0, Math.floor(Number(field.value) || 0) + step));
    field.value = String(seed);
    return bring(`Painting scene ${seed}`, `/api/scenes/${seed}`);
  }

  // --- the view

  const chosenModels = () => [byId("model").value, byId("compare").value].filter((text, index, all) => text !== "" && all.indexOf(text) === index);

  async function present(key, isLatest, tell) {
    const models = chosenModels();
    const bundles = [];
    for (const model of models) {
      const picture = pictures.get(key);
      tell(`${start.models[model].name} looks at ${picture.name}`);
      bundles.push(await askJson(`/api/pictures/${key}/models/${model}`).catch((error) => {
        if (error.status === 404) {
          pictures.delete(key);
          drawKept();
        }
        throw error;
      }));
      if (!isLatest()) return;
    }
    unmount();
    current = key;
    drawKept();
    const address = new URLSearchParams({ picture: key, models: models.join(",") });
    history.replaceState(null, "", `?${address}${location.hash}`);
    mounted = await mountViewer(byId("view"), joined(bundles), {
      pairwise: (id, x, y) => pairsOf(key, models, id, x, y),
      without: (id, how) => withoutMap(key, models, id, how),
      copied: "copied; it opens in this tab only",
    });
  }

  function unmount() {
    if (mounted) mounted.destroy();
    mounted = null;
    byId("view").replaceChildren();
  }

  /** One bundle of two models out of one of each. */
  function joined(bundles) {
    const sides = bundles.map((bundle, number) => {
      const [side] = bundle.sides;
      return { ...side, maps: side.maps.map((map) => ({ ...map, id: `${number}/${map.name}` })) };
    });
    const all = (name) => [...new Set(bundles.flatMap((bundle) => bundle[name]))];
    return { ...bundles[0], sides, cautions: all("cautions"), notes: all("notes") };
  }

  async function pairsOf(key, models, id, x, y) {
    const [side, ...name] = id.split("/");
    const asked = new URLSearchParams({ map: name.join("/"), x, y });
    try {
      return await askJson(`/api/pictures/${key}/models/${models[Number(side)]}/pairs?${asked}`);
    } catch (error) {
      complain(error);
      throw error;
    }
  }

  /** What the picture becomes without a map; the map that takes its place is that of the other model that is shown. */
  async function withoutMap(key, models, id, how) {
    const [side, ...name] = id.split("/");
    const asked = new URLSearchParams({ map: name.join("/"), how });
    if (how === "other") asked.set("other", models[1 - Number(side)]);
    try {
      return await askJson(`/api/pictures/${key}/models/${models[Number(side)]}/without?${asked}`);
    } catch (error) {
      complain(error);
      throw error;
    }
  }

  // --- the folder

  let watcher = null;

  function drawFiles() {
    const part = byId("search").value.trim().toLowerCase();
    const { files, left_out } = start.folder;
    const found = files.map((name, number) => ({ name, number })).filter(({ name }) => name.toLowerCase().includes(part));
    const shown = found.slice(0, SHOWN_FILES);
    const notes = [`${found.length} of ${files.length} pictures`];
    if (shown.length < found.length) notes.push(`the first ${shown.length} are shown`);
    if (left_out) notes.push(`${left_out} more in the folder are not listed`);
    byId("folder-note").textContent = notes.join("; ");
    watcher?.disconnect();
    watcher = new IntersectionObserver(onVisible, { root: byId("folder"), rootMargin: "200px" });
    const items = shown.map(({ name, number }) => {
      const image = element("img", { alt: "" });
      image.dataset.number = number;
      watcher.observe(image);
      const pick = element("button", { type: "button", title: name, onclick: () => pickFile(name, number) }, image, element("span", {}, name));
      return element("li", {}, pick);
    });
    byId("files").replaceChildren(...items);
  }

  function onVisible(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      watcher.unobserve(target);
      ask(`/api/files/${target.dataset.number}/thumbnail`)
        .then((answer) => answer.blob())
        .then((blob) => {
          target.onload = () => URL.revokeObjectURL(target.src);
          target.src = URL.createObjectURL(blob);
        })
        .catch(() => target.classList.add("unread")); // choosing the file says why
    }
  }

  function pickFile(name, number) {
    byId("folder").close();
    return bring(`Reading ${name}`, `/api/files/${number}`);
  }

  // --- dropping and pasting

  function listen() {
    let depth = 0; // of elements that the dragged file is over
    const over = (shown) => {
      byId("drop").hidden = !shown;
    };
    const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    document.addEventListener("dragenter", (event) => holdsFiles(event) && (event.preventDefault(), depth++, over(true)));
    document.addEventListener("dragleave", (event) => holdsFiles(event) && (depth = Math.max(0, depth - 1), over(depth > 0)));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      over(false);
      const files = event.dataTransfer.files;
      if (files.length) openFiles(files);
      else complain(new Error("What was dropped is no file. Save the picture first, or copy it and paste it here."));
    });
    document.addEventListener("paste", (event) => {
      const files = event.clipboardData?.files ?? [];
      if (files.length) openFiles(files);
    });
    byId("file").onchange = () => {
      openFiles(byId("file").files).finally(() => {
        byId("file").value = "";
      });
    };
    for (const id of ["open", "open-too"]) byId(id).onclick = () => byId("file").click();
    byId("scene").onsubmit = (event) => {
      event.preventDefault();
      showScene(0);
    };
    byId("next-scene").onclick = () => showScene(1);
    byId("scene-too").onclick = () => showScene(0);
    byId("problem").lastElementChild.onclick = () => {
      byId("problem").hidden = true;
    };
    byId("browse").onclick = () => {
      byId("folder").showModal();
      drawFiles();
    };
    byId("close-folder").onclick = () => byId("folder").close();
    byId("search").oninput = drawFiles;
    for (const id of ["model", "compare"]) byId(id).onchange = () => current && show(current);
  }

  // --- beginning

  function drawModels() {
    const names = start.models.map((model) => `${model.name} · ${model.network}`);
    byId("model").replaceChildren(...names.map((name, index) => element("option", { value: String(index) }, name)));
    byId("compare").replaceChildren(element("option", { value: "" }, "nothing"), ...names.map((name, index) => element("option", { value: String(index) }, name)));
    byId("compare-label").hidden = names.length < 2;
  }

  async function begin() {
    start = await askJson("/api/start");
    drawModels();
    byId("promise").textContent = `PNG, JPEG, WebP, TIFF and more, up to ${start.limits.upload_bytes / 2 ** 20} MiB. Nothing leaves this computer.`;
    if (start.folder) {
      byId("browse").hidden = false;
      byId("folder-name").textContent = start.folder.name;
    }
    for (const picture of start.pictures.reverse()) remember(picture);
    const asked = new URLSearchParams(location.search);
    const models = (asked.get("models") ?? "").split(",").filter((text) => text in start.models);
    if (models.length) [byId("model").value, byId("compare").value] = [models[0], models[1] ?? ""];
    listen();
    drawKept();
    const last = pictures.has(asked.get("picture")) ? asked.get("picture") : [...pictures.keys()].pop();
    if (last) await show(last);
  }

  begin().catch(complain);
})();
