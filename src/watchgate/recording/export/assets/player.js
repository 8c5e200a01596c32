"use strict";
// Plays the pictures in this file. It needs nothing from anywhere and reaches out to nothing.
(() => {
  const byId = (name) => document.getElementById(name);
  const view = byId("view"), screen = byId("screen"), seek = byId("seek"), list = byId("list");
  const said = byId("said"), query = byId("query"), playButton = byId("play");
  const IDLE_MS = 2000;
  const BASIC = ["#2e3436", "#e05561", "#8cc265", "#d18f52", "#4aa5f0", "#c162de", "#42b3c2", "#d7dadd",
    "#6b7177", "#ff616e", "#a5e075", "#f0a45d", "#4dc4ff", "#de73ff", "#4cd1e0", "#ffffff"];

  // --- what is in the file ---------------------------------------------------------------------

  const inflate = async (element) => {
    const octets = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return JSON.parse(await new Response(stream).text());
  };
  const about = JSON.parse(byId("about").textContent);
  const chunks = [...document.querySelectorAll("script.pictures")];
  const starts = chunks.map((element) => Number(element.dataset.t));
  const texts = [...document.querySelectorAll("script.text")];
  const commands = JSON.parse(byId("commands").textContent);
  const opened = new Map();
  const chunk = async (number) => {
    if (!opened.has(number)) {
      if (opened.size > 4) opened.delete(opened.keys().next().value);
      opened.set(number, await inflate(chunks[number]));
    }
    return opened.get(number);
  };

  // --- the picture -----------------------------------------------------------------------------

  const color = (value) => {
    if (Array.isArray(value)) return `rgb(${value.join(" ")})`;
    if (value < 16) return BASIC[value];
    if (value >= 232) { const gray = 8 + (value - 232) * 10; return `rgb(${gray} ${gray} ${gray})`; }
    const level = (n) => (n ? 55 + n * 40 : 0), cube = value - 16;
    return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
  };
  const dress = (span, style) => {
    let front = style.foreground === undefined ? null : color(style.foreground);
    let back = style.background === undefined ? null : color(style.background);
    if (style.inverse) [front, back] = [back ?? "var(--screen)", front ?? "var(--text)"];
    if (front) span.style.color = front;
    if (back) span.style.background = back;
    if (style.bold) span.style.fontWeight = "bold";
    if (style.dim) span.style.opacity = "0.6";
    if (style.italic) span.style.fontStyle = "italic";
    const lines = [style.underline && "underline", style.strikethrough && "line-through"];
    span.style.textDecoration = lines.filter(Boolean).join(" ");
  };
  const piece = (text, columns, style) => {
    const span = document.createElement("span");
    span.textContent = text;
    span.style.width = `${columns}ch`;
    if (style) dress(span, style);
    return span;
  };
  const drawRow = (element, row, styles) => {
    const spans = [];
    for (let i = 0; i < row.length; i += 3) spans.push(piece(row[i], row[i + 1], styles[row[i + 2]]));
    element.replaceChildren(...spans);
  };
  const drawCursor = ([column, row, shown]) => {
    screen.querySelector(".cursor")?.remove();
    if (!shown || row >= screen.children.length) return;
    const mark = document.createElement("span");
    mark.className = "cursor";
    mark.style.position = "absolute";
    mark.style.width = "1ch";
    mark.style.marginLeft = `${column}ch`;
    screen.children[row].prepend(mark);
  };

  // --- the play --------------------------------------------------------------------------------

  let at = 0, playing = false, speed = 1, last = 0;
  let current = null, number = -1, applied = -1, reached = 0;   // the chunk that is shown, and how far

  const position = (t) => {
    let low = 0, high = starts.length - 1;
    while (low < high) { const middle = (low + high + 1) >> 1; if (starts[middle] <= t) low = middle; else high = middle - 1; }
    return low;
  };
  const show = async (t) => {
    if (!chunks.length) return;
    const wanted = position(t);
    if (wanted !== number || t < reached) {
      const opening = await chunk(wanted);
      if (wanted !== number) screen.replaceChildren(...opening.rows.map(() => document.createElement("div")));
      current = opening; number = wanted; applied = -1; reached = current.t;
      current.rows.forEach((row, n) => drawRow(screen.children[n], row, current.styles));
      drawCursor(current.cursor);
    }
    const dirty = new Map();
    let cursor = null;
    while (applied + 1 < current.changes.length && reached + current.changes[applied + 1][0] <= t) {
      const change = current.changes[++applied];
      reached += change[0];
      for (const [n, row] of change[1]) dirty.set(n, row);
      cursor = change[2];
    }
    dirty.forEach((row, n) => drawRow(screen.children[n], row, current.styles));
    if (cursor) drawCursor(cursor);
  };
  const nextChange = () => {
    if (current && applied + 1 < current.changes.length) return reached + current.changes[applied + 1][0];
    return number + 1 < starts.length ? starts[number + 1] : about.duration;
  };
  const clock = (ms) => {
    const s = Math.floor(ms / 1000), two = (n) => String(n).padStart(2, "0");
    return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
  };
  const tell = () => {
    seek.value = at;
    byId("at").textContent = `${clock(at + about.origin)} / ${clock(about.duration + about.origin)}`;
    byId("wall").textContent = new Date(about.started + at).toISOString().replace("T", " ").slice(0, 19) + " UTC";
    playButton.textContent = playing ? "Pause" : "Play";
    for (const item of list.children) item.classList.toggle("now", item === nowPlaying());
  };
  const nowPlaying = () => {
    let found = null;
    for (const item of list.children) if (Number(item.dataset.t) <= at) found = item;
    return found;
  };
  let moving = Promise.resolve();
  const go = (t) => {
    at = Math.max(0, Math.min(about.duration, t));
    moving = moving.then(() => show(at)).then(tell);
    return moving;
  };
  const tick = async (now) => {
    if (!playing) return;
    let to = at + (now - last) * speed;
    last = now;
    const next = nextChange();
    if (byId("skip").checked && next - at > IDLE_MS && next - to > 200) to = next - 200;
    if (to >= about.duration) { playing = false; to = about.duration; }
    await go(to);
    requestAnimationFrame(tick);
  };
  const toggle = () => {
    playing = !playing;
    if (playing && at >= about.duration) at = 0;
    last = performance.now();
    tell();
    if (playing) requestAnimationFrame(tick);
  };
  const toCommand = (direction) => {
    const times = commands.map((one) => one.t);
    const found = direction > 0 ? times.find((t) => t > at + 1) : times.filter((t) => t < at - 500).pop();
    if (found !== undefined) go(found);
  };

  // --- the list, and searching -----------------------------------------------------------------

  const entry = (t, text, note, needle) => {
    const item = document.createElement("li"), button = document.createElement("button");
    const time = document.createElement("time"), code = document.createElement("code");
    item.dataset.t = t;
    time.textContent = clock(t + about.origin);
    const place = needle ? text.toLowerCase().indexOf(needle) : -1;
    if (place < 0) code.textContent = text;
    else {
      const mark = document.createElement("mark");
      mark.textContent = text.slice(place, place + needle.length);
      code.append(text.slice(0, place), mark, text.slice(place + needle.length));
    }
    if (note) { const small = document.createElement("small"); small.textContent = ` ${note}`; code.append(small); }
    button.append(time, code);
    button.type = "button";
    button.addEventListener("click", () => go(t));
    item.append(button);
    return item;
  };
  const counted = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
  const verdicts = { block: "blocked", interrupt: "interrupted", force: "not on the list", approve: "waited" };
  const note = (one) =>
    [one.confidence === "exact" ? "" : "inferred", verdicts[one.verdict] || ""].filter(Boolean).join(", ");
  const MOST = 500;
  let asked = 0;
  const search = async (needle) => {
    const mine = ++asked;
    list.replaceChildren();
    const lower = needle.toLowerCase();
    const matching = commands.filter((one) => one.text.toLowerCase().includes(lower));
    for (const one of matching.slice(0, MOST)) list.append(entry(one.t, one.text, note(one), lower));
    if (!lower) {
      said.textContent = commands.length ? counted(commands.length, "command") : "no commands were read here";
      tell();
      return;
    }
    let lines = 0;
    for (const element of texts) {
      if (list.children.length >= MOST) break;
      for (const [t, text] of await inflate(element)) {
        if (mine !== asked) return;
        for (const line of text.split("\n")) {
          if (!line.toLowerCase().includes(lower)) continue;
          lines += 1;
          if (list.children.length < MOST) list.append(entry(t, line, "", lower));
        }
      }
    }
    const more = list.children.length >= MOST ? ` (the first ${MOST})` : "";
    said.textContent = `${counted(matching.length, "command")}, ${counted(lines, "line")}${more}`;
    list.append(...[...list.children].sort((a, b) => a.dataset.t - b.dataset.t));
    tell();
  };

  // --- keys ------------------------------------------------------------------------------------

  let waiting = 0;
  query.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => search(query.value), 150); });
  byId("find").addEventListener("submit", (event) => { event.preventDefault(); search(query.value); });
  playButton.addEventListener("click", toggle);
  byId("speed").addEventListener("change", (event) => { speed = Number(event.target.value); });
  seek.addEventListener("input", () => go(Number(seek.value)));
  document.addEventListener("keydown", (event) => {
    if (event.target === query || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      " ": toggle, ArrowLeft: () => go(at - 5000), ArrowRight: () => go(at + 5000),
      n: () => toCommand(1), N: () => toCommand(-1), "/": () => query.focus(), Home: () => go(0), End: () => go(about.duration),
    };
    if (!keys[event.key] || (event.key === " " && event.target.tagName === "BUTTON")) return;
    event.preventDefault();
    keys[event.key]();
  });

  const start = new URLSearchParams(location.hash.slice(1));
  seek.max = about.duration;
  query.value = start.get("q") ?? "";
  search(query.value).then(() => go(Number(start.get("t") ?? 0) * 1000 - (start.has("t") ? about.origin : 0)))
    .then(() => { document.body.dataset.ready = "yes"; })
    .catch((error) => { said.textContent = `This browser cannot play this file: ${error.message}`; });
})();
