// The page: draws the shapes over the frame, and lists them with fields, so that a keyboard alone is enough.
import { Drawing, colour, forward, middle } from "./shapes.js";
import { fillPanel } from "./panel.js";

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
const stage = byId("stage");
let drawing;
let draft = null; // { kind, points, cross } while a shape is drawn
let drag = null; // { index, corner, pointer } while a corner is moved
let chosen = -1;
let zoom = 0; // screen px per image px; 0 fits the frame into its place
let closed = false;

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function say(text) {
  byId("status").textContent = text;
}

function fail(text) {
  byId("error").textContent = text;
}

function scale() {
  const { clientWidth, clientHeight } = byId("scroller");
  const narrow = matchMedia("(max-width: 860px)").matches; // the height then follows from the frame
  return zoom || Math.max(0.05, Math.min(clientWidth / drawing.width, narrow ? Infinity : clientHeight / drawing.height));
}

// Image px of a pointer, whatever the zoom and the scroll position.
function imagePoint(event) {
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(stage.getScreenCTM().inverse());
  return drawing.clamp([place.x, place.y]);
}

const list = (points) => points.map((point) => point.join(",")).join(" ");

function drawShape(shape, index, unit) {
  const group = element("g", {});
  group.style.setProperty("--colour", colour(index)); // an attribute would be refused by the content security policy
  const { kind, points, table } = shape;
  const outline = kind === "line" ? "polyline" : "polygon";
  if (kind === "zone") group.append(element("polygon", { class: "area", points: list(points) }));
  group.append(element(outline, { class: "casing", points: list(points) }));
  group.append(element(outline, { class: "edge", points: list(points) }));
  const [mx, my] = middle(points[0], points[1]);
  const label = { class: "label", "font-size": 15 * unit, "text-anchor": "middle", "aria-hidden": "true" };
  if (kind === "line") {
    const [dx, dy] = forward(points);
    const tip = [mx + 44 * unit * dx, my + 44 * unit * dy];
    const path = { x1: mx, y1: my, x2: tip[0], y2: tip[1], "marker-end": "url(#head)" };
    group.append(element("line", { ...path, class: "casing", "marker-end": "none" }), element("line", { ...path, class: "edge arrow" }));
    group.append(element("text", { ...label, x: tip[0] + 16 * unit * dx, y: tip[1] + 16 * unit * dy + 5 * unit }, table.forward));
    group.append(element("text", { ...label, x: mx - 18 * unit * dx, y: my - 18 * unit * dy + 5 * unit }, table.name));
  } else {
    const centre = points.reduce(([x, y], [px, py]) => [x + px / points.length, y + py / points.length], [0, 0]);
    group.append(element("text", { ...label, x: centre[0], y: centre[1] }, table.name));
    points.forEach((point, corner) => group.append(addHandle(shape, index, corner, unit)));
  }
  points.forEach((point, corner) => group.append(moveHandle(shape, index, corner, unit)));
  return group;
}

function moveHandle({ kind, table, points }, index, corner, unit) {
  const [x, y] = points[corner];
  const part = kind === "line" ? ["start", "end"][corner] : `corner ${corner + 1}`;
  const handle = element("g", {
    class: "handle", role: "button", tabindex: "0", "data-key": `move ${index} ${corner}`,
    "data-index": index, "data-corner": corner, "aria-label": `${table.name}, ${part}, x ${x}, y ${y}`,
  });
  handle.append(element("circle", { cx: x, cy: y, r: 8 * unit }));
  return handle;
}

function addHandle({ table, points }, index, corner, unit) {
  const [x, y] = middle(points[corner], points[(corner + 1) % points.length]);
  const handle = element("g", {
    class: "handle add", role: "button", tabindex: "-1", "data-index": index, "data-after": corner,
    "aria-label": `${table.name}, add a corner after corner ${corner + 1}`,
  });
  handle.append(element("circle", { cx: x, cy: y, r: 5 * unit }));
  return handle;
}

function drawDraft(unit) {
  const group = byId("draft");
  group.replaceChildren();
  if (!draft) return;
  const points = [...draft.points, draft.cross];
  group.style.setProperty("--colour", colour(drawing.shapes.length));
  group.append(element("polyline", { class: "casing", points: list(points) }));
  group.append(element("polyline", { class: "edge", points: list(points) }));
  const [x, y] = draft.cross;
  const arm = 14 * unit;
  group.append(element("line", { class: "cross", x1: x - arm, y1: y, x2: x + arm, y2: y }));
  group.append(element("line", { class: "cross", x1: x, y1: y - arm, x2: x, y2: y + arm }));
}

function render() {
  const factor = scale();
  stage.setAttribute("width", drawing.width * factor);
  stage.setAttribute("height", drawing.height * factor);
  stage.classList.toggle("drawing", Boolean(draft));
  byId("zoom").textContent = `${Math.round(100 * factor)} %`;
  const focused = document.activeElement?.dataset?.key;
  byId("shapes").replaceChildren(...drawing.shapes.map((shape, index) => drawShape(shape, index, 1 / factor)));
  if (focused) stage.querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
  drawDraft(1 / factor);
  byId("undo").disabled = !drawing.past.length && !draft;
  byId("redo").disabled = !drawing.future.length || Boolean(draft);
  byId("finish").hidden = draft?.kind !== "zone";
  byId("cancel").hidden = !draft;
  for (const kind of ["line", "zone"]) byId(`add-${kind}`).setAttribute("aria-pressed", draft?.kind === kind);
  byId("empty").hidden = drawing.shapes.length > 0;
  fillPanel(byId("list"), drawing, chosen, { changed: render, removed: afterRemoval });
}

function afterRemoval(name) {
  chosen = -1;
  say(`${name} removed.`);
  render();
  byId("add-line").focus();
}

function begin(kind) {
  draft = { kind, points: [], cross: drawing.clamp([drawing.width / 2, drawing.height / 2]) };
  fail("");
  say(kind === "line" ? "Click the start of the line, then its end." : "Click the corners of the zone; double-click the last one.");
  render();
  stage.focus();
}

function cancel() {
  if (!draft) return;
  draft = null;
  say("Drawing cancelled.");
  render();
}

function finish() {
  const least = draft.kind === "line" ? 2 : 3;
  if (draft.points.length < least) {
    say(`A zone needs at least ${least} corners; there are ${draft.points.length}.`);
    return;
  }
  chosen = drawing.add(draft.kind, draft.points);
  const { table, kind } = drawing.shapes[chosen];
  draft = null;
  say(kind === "line" ? `${table.name} added. The arrow shows the direction "${table.forward}".` : `${table.name} added.`);
  render();
  byId("list").querySelectorAll("fieldset")[chosen].querySelector("input").focus();
}

function place(point) {
  const last = draft.points.at(-1);
  draft.cross = point;
  if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) * scale() < 4) {
    if (draft.kind === "zone") finish();
    return;
  }
  draft.points.push(point);
  say(`Point ${draft.points.length} at ${point[0]}, ${point[1]}.`);
  if (draft.kind === "line" && draft.points.length === 2) finish();
  else render();
}

function undo() {
  if (draft) {
    if (draft.points.pop()) say("Last point removed.");
    else cancel();
  } else if (drawing.undo()) say("Undone.");
  render();
}

function redo() {
  if (!draft && drawing.redo()) say("Redone.");
  render();
}

function step(event) {
  const size = event.shiftKey ? 1 : Math.max(1, Math.round(drawing.width / 100));
  const moves = { ArrowLeft: [-size, 0], ArrowRight: [size, 0], ArrowUp: [0, -size], ArrowDown: [0, size] };
  return moves[event.key];
}

stage.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  if (draft) {
    event.preventDefault();
    place(imagePoint(event));
    return;
  }
  const handle = event.target.closest(".handle");
  if (!handle) return;
  event.preventDefault();
  const index = Number(handle.dataset.index);
  let corner = Number(handle.dataset.corner);
  if (handle.dataset.after !== undefined) {
    corner = Number(handle.dataset.after) + 1;
    drawing.addCorner(index, corner - 1, imagePoint(event));
  } else drawing.remember();
  chosen = index;
  drag = { index, corner, pointer: event.pointerId };
  stage.setPointerCapture(event.pointerId);
  render();
  stage.querySelector(`[data-key="move ${index} ${corner}"]`).focus({ preventScroll: true });
});

// On the window: Chromium gives the capture up if the pressed element is replaced.
window.addEventListener("pointermove", (event) => {
  if (draft && stage.contains(event.target)) {
    draft.cross = imagePoint(event);
    drawDraft(1 / scale());
  } else if (drag && !event.buttons) release(); // let go outside the window
  else if (drag?.pointer === event.pointerId) {
    drawing.setPoint(drag.index, drag.corner, imagePoint(event));
    render();
  }
});

function release() {
  if (!drag) return;
  drag = null;
  drawing.settle();
  render();
}
window.addEventListener("pointerup", release);
window.addEventListener("pointercancel", release);

stage.addEventListener("keydown", (event) => {
  const move = step(event);
  const handle = event.target.closest(".handle");
  if (draft) {
    if (move) {
      draft.cross = drawing.clamp([draft.cross[0] + move[0], draft.cross[1] + move[1]]);
      say(`${draft.cross[0]}, ${draft.cross[1]}`);
      drawDraft(1 / scale());
    } else if (event.key === "Enter" || event.key === " ") place(draft.cross);
    else if (event.key === "Backspace") undo();
    else return;
  } else if (handle?.dataset.corner !== undefined) {
    const [index, corner] = [Number(handle.dataset.index), Number(handle.dataset.corner)];
    const { points, table } = drawing.shapes[index];
    if (move) {
      drawing.remember();
      drawing.setPoint(index, corner, [points[corner][0] + move[0], points[corner][1] + move[1]]);
      drawing.settle();
      chosen = index;
      say(`${points[corner][0]}, ${points[corner][1]}`);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      say(drawing.removeCorner(index, corner) ? `Corner ${corner + 1} of ${table.name} removed.` : "This corner is needed.");
    } else return;
    render();
  } else return;
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  if (event.key === "Escape") cancel();
  if (!(event.ctrlKey || event.metaKey)) return;
  if (key === "s") save(false);
  else if (event.target.matches("input") && event.target.type === "text") return; // the field's own undo
  else if (key === "z" && !event.shiftKey) undo();
  else if (key === "y" || key === "z") redo();
  else return;
  event.preventDefault();
});

async function save(close) {
  document.activeElement?.dispatchEvent(new Event("change")); // of a field that is being edited
  if (draft) {
    fail("Finish or cancel the drawing first.");
    return;
  }
  fail("");
  say("Saving.");
  const text = drawing.text();
  try {
    const answer = await fetch(close ? "save-and-close" : "save", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(drawing.tables()),
    });
    const value = await answer.json();
    if (!answer.ok) {
      say("");
      fail(value.error);
      return;
    }
    drawing.saved = text;
    say(`Saved to ${value.saved}.`);
    if (close) showClosed(value.saved);
  } catch {
    say("");
    fail("draw-zones does not answer, so nothing was saved. It may have ended: start it again.");
  }
}

function showClosed(file) {
  closed = true;
  document.querySelector("header").hidden = true;
  document.querySelector("main").hidden = true;
  byId("closed-text").textContent = `${file} is written. You can close this page.`;
  byId("closed").setAttribute("role", "main");
  byId("closed").hidden = false;
  byId("closed").focus();
}

function setZoom(value) {
  zoom = value && Math.min(8, Math.max(0.1, value));
  render();
}

window.addEventListener("beforeunload", (event) => {
  if (drawing?.changed && !closed) event.preventDefault();
});
new ResizeObserver(() => drawing && !zoom && render()).observe(byId("scroller"));

async function start() {
  const state = await (await fetch("state")).json();
  drawing = new Drawing(state.width, state.height, state.line, state.zone);
  byId("source").textContent = `${state.source}, ${state.width} x ${state.height} px, to ${state.file}`;
  stage.setAttribute("viewBox", `0 0 ${state.width} ${state.height}`);
  for (const [key, value] of [["width", state.width], ["height", state.height], ["href", "frame.jpg"]]) byId("image").setAttribute(key, value);
  if (state.comments) say("Comments in the file are removed when you save.");
  byId("add-line").addEventListener("click", () => begin("line"));
  byId("add-zone").addEventListener("click", () => begin("zone"));
  byId("finish").addEventListener("click", finish);
  byId("cancel").addEventListener("click", cancel);
  byId("undo").addEventListener("click", undo);
  byId("redo").addEventListener("click", redo);
  byId("zoom-in").addEventListener("click", () => setZoom(scale() * 1.25));
  byId("zoom-out").addEventListener("click", () => setZoom(scale() / 1.25));
  byId("zoom-fit").addEventListener("click", () => setZoom(0));
  byId("save").addEventListener("click", () => save(false));
  byId("save-and-close").addEventListener("click", () => save(true));
  render();
}

start().catch(() => fail("The page could not be loaded: draw-zones does not answer."));
