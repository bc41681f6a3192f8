"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (name) => document.getElementById(name);
  const [slider, clock, play, overlay, playhead] = ["position", "clock", "play", "boxes", "playhead"].map(byId);
  const svgNames = "http://www.w3.org/2000/svg";
  const people = new Map(data.people.map((person) => [person.id, person]));
  let video = byId("video"); // null without one, or once it has failed
  let now = 0;
  let chosen = null;
  let running = false; // without a video
  let lastTick = 0;

  function clockText(seconds) {
    const tenths = Math.round(Math.max(0, seconds) * 10);
    const whole = Math.floor(tenths / 10);
    const two = (value) => String(value).padStart(2, "0");
    const minutes = Math.floor(whole / 60);
    const tail = two(whole % 60) + (data.length < 600 ? "." + (tenths % 10) : "");
    return minutes >= 60 ? `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${tail}` : `${minutes}:${tail}`;
  }

  // Box of a person at a time, interpolated between the stored ones; null if the person was not seen then.
  function boxAt(person, time) {
    for (const [times, boxes] of person.runs) {
      const last = times.length - 1;
      if (time < times[0] - 0.006 || time > times[last] + data.hold) continue; // times are rounded to 0.01 s
      let low = 0;
      let high = last;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (times[middle] <= time) low = middle; else high = middle;
      }
      const span = times[high] - times[low];
      if (span > data.gap && time > times[low] + data.hold && time < times[high] - 0.006) return null;
      const share = span > 0 ? Math.min(1, Math.max(0, (time - times[low]) / span)) : 0;
      return [0, 1, 2, 3].map((i) => boxes[4 * low + i] + share * (boxes[4 * high + i] - boxes[4 * low + i]));
    }
    return null;
  }

  // Size of letters in px of the image, so that they are at least 12 px high on the screen.
  function lettersIn(svg) {
    const size = svg.viewBox.baseVal;
    return Math.max(Math.min(size.width, size.height) / 32, (12 * size.width) / (svg.clientWidth || size.width));
  }

  function sizePlaceNames() {
    for (const svg of document.querySelectorAll(".stage svg")) {
      for (const name of svg.querySelectorAll(".places text")) {
        name.setAttribute("font-size", lettersIn(svg));
        name.dataset.y ??= name.getAttribute("y"); // the place without a shift into the image
        name.setAttribute("y", Math.max(lettersIn(svg), Number(name.dataset.y)));
      }
    }
  }

  function drawBoxes() {
    const shapes = [];
    const letters = lettersIn(overlay);
    for (const person of people.values()) {
      const box = boxAt(person, now);
      if (!box) continue;
      const group = document.createElementNS(svgNames, "g");
      const rect = document.createElementNS(svgNames, "rect");
      const label = document.createElementNS(svgNames, "text");
      const [x1, y1, x2, y2] = box;
      const values = { x: x1, y: y1, width: Math.max(0, x2 - x1), height: Math.max(0, y2 - y1), stroke: person.colour };
      for (const [name, value] of Object.entries(values)) rect.setAttribute(name, value);
      label.setAttribute("x", Math.max(0, x1));
      label.setAttribute("y", Math.max(letters, y1 - letters * 0.3));
      label.setAttribute("font-size", letters);
      label.textContent = person.id;
      if (person.id === chosen) group.setAttribute("class", "chosen");
      rect.addEventListener("click", (event) => { event.stopPropagation(); choose(person.id); });
      group.append(rect, label);
      shapes.push(group);
    }
    overlay.querySelector(".boxes").replaceChildren(...shapes);
  }

  function show() {
    clock.textContent = `${clockText(now)} / ${clockText(data.length)}`;
    slider.value = now;
    slider.setAttribute("aria-valuetext", clockText(now));
    const x = 1000 * Math.min(1, now / data.length);
    playhead.setAttribute("x1", x);
    playhead.setAttribute("x2", x);
    drawBoxes();
  }

  function seek(time) {
    now = Math.min(data.length, Math.max(0, time));
    if (video) video.currentTime = now + 0.002; // times are rounded to ms: not the frame before
    show();
  }

  function isPlaying() { return video ? !video.paused : running; }

  function showButton() { play.textContent = isPlaying() ? data.texts.pause : data.texts.play; }

  function toggle() {
    if (video) {
      if (video.paused) video.play().catch(showButton); else video.pause();
    } else {
      running = !running;
      if (running && now >= data.length - 0.05) seek(0);
      lastTick = performance.now();
    }
    showButton();
    requestAnimationFrame(tick);
  }

  function tick(time) {
    if (!isPlaying()) return;
    if (video) {
      now = video.currentTime;
    } else {
      now = Math.min(data.length, now + Math.max(0, time - lastTick) / 1000);
      lastTick = time;
      if (now >= data.length) { running = false; showButton(); }
    }
    show();
    requestAnimationFrame(tick);
  }

  function choose(id, time) {
    chosen = id;
    for (const button of document.querySelectorAll("[data-id]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.id) === id));
    }
    if (time === undefined) { show(); return; }
    if (isPlaying()) toggle();
    seek(time);
    const person = people.get(id);
    const isFirst = person && Math.abs(time - person.first) < 0.01;
    byId("status").textContent = (isFirst ? data.texts.selected : data.texts.selected_at)
      .replace("{id}", id).replace("{time}", clockText(time));
    byId("replay").scrollIntoView({ block: "nearest" });
  }

  function withoutVideo() {
    video.remove();
    video = null;
    byId("missing").hidden = false;
    show();
    showButton();
  }

  if (video) {
    video.controls = false;
    for (const name of ["play", "pause", "ended"]) video.addEventListener(name, showButton);
    video.addEventListener("play", () => requestAnimationFrame(tick));
    video.addEventListener("error", withoutVideo, { once: true });
    if (video.error) withoutVideo();
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-id]");
    if (button) choose(Number(button.dataset.id), Number(button.dataset.time));
  });
  for (const button of document.querySelectorAll("[data-id]")) button.setAttribute("aria-pressed", "false");
  play.addEventListener("click", toggle);
  overlay.addEventListener("click", toggle);
  slider.addEventListener("input", () => seek(Number(slider.value)));
  byId("line").addEventListener("click", (event) => {
    const place = byId("line").getBoundingClientRect();
    seek((data.length * (event.clientX - place.left)) / place.width);
  });
  const toggleBoxes = byId("show-boxes");
  toggleBoxes.addEventListener("change", () => byId("stage").classList.toggle("no-boxes", !toggleBoxes.checked));
  window.addEventListener("resize", () => { sizePlaceNames(); show(); });
  sizePlaceNames();
  show();
  showButton();
})();
