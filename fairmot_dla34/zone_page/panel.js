// The list of shapes with a field for each value. Fields stay in place while values change, so that the focus does too.
import { colour, middle } from "./shapes.js";

const ANCHORS = { foot: "foot of the person", centre: "centre of the person", head: "head of the person" };

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function fillPanel(panel, drawing, chosen, actions) {
  const structure = JSON.stringify(drawing.shapes.map((shape) => [shape.kind, shape.points.length]));
  if (panel.dataset.structure !== structure) {
    panel.replaceChildren(...drawing.shapes.map((shape, index) => box(shape, index, drawing, actions)));
    panel.dataset.structure = structure;
  }
  drawing.shapes.forEach((shape, index) => {
    const fields = panel.children[index];
    fields.classList.toggle("chosen", index === chosen);
    fields.querySelector("legend").textContent = shape.table.name;
    for (const input of fields.querySelectorAll("[data-value]")) {
      const [kind, key] = input.dataset.value.split(" ");
      const value = kind === "table" ? shape.table[key] : shape.points[Number(kind)][Number(key)];
      if (input !== document.activeElement) input.value = value;
    }
    for (const input of fields.querySelectorAll("[data-suffix]")) {
      input.setAttribute("aria-label", `${input.dataset.suffix}, ${shape.table.name}`); // the visible text first
    }
  });
}

function box(shape, index, drawing, actions) {
  const edit = (change) => {
    drawing.remember();
    change(drawing.shapes[index]);
    drawing.settle();
    actions.changed();
  };
  const fields = element("fieldset", {}, element("legend", {}));
  fields.style.setProperty("--colour", colour(index));
  fields.append(field("Name", "name", edit));
  if (shape.kind === "line") {
    fields.append(field("Arrow", "forward", edit), field("Against it", "backward", edit));
    const turn = button("Turn the arrow", "Turn the arrow", () => {
      drawing.turn(index);
      actions.changed();
    });
    fields.append(anchorField(edit), ...points(shape, index, drawing, edit, actions), turn);
  } else {
    const add = button("Add corner", "Add corner", () => {
      const { points: corners } = drawing.shapes[index];
      drawing.addCorner(index, corners.length - 1, middle(corners.at(-1), corners[0]));
      actions.changed();
      document.querySelectorAll("#list fieldset")[index].querySelector(`[data-value="${corners.length - 1} 0"]`).focus();
    });
    fields.append(anchorField(edit), ...points(shape, index, drawing, edit, actions), add);
  }
  fields.append(" ", button("Remove", "Remove", () => {
    const { name } = drawing.shapes[index].table;
    drawing.remove(index);
    actions.removed(name);
  }));
  return fields;
}

function button(text, suffix, action) {
  const made = element("button", { type: "button", textContent: text });
  made.dataset.suffix = suffix;
  made.addEventListener("click", action);
  return made;
}

function field(text, key, edit) {
  const input = element("input", { type: "text", maxLength: 80, autocomplete: "off" });
  input.dataset.value = `table ${key}`;
  input.addEventListener("change", () => edit((shape) => { shape.table[key] = input.value.trim(); }));
  return element("label", { className: "field" }, element("span", { textContent: text }), input);
}

function anchorField(edit) {
  const options = Object.entries(ANCHORS).map(([value, text]) => element("option", { value, textContent: text }));
  const input = element("select", {}, ...options);
  input.dataset.value = "table anchor";
  input.addEventListener("change", () => edit((shape) => { shape.table.anchor = input.value; }));
  return element("label", { className: "field" }, element("span", { textContent: "Point" }), input);
}

function points(shape, index, drawing, edit, actions) {
  return shape.points.map((_, corner) => {
    const part = shape.kind === "line" ? ["Start", "End"][corner] : `Corner ${corner + 1}`;
    const row = element("div", { className: "point" }, element("span", { textContent: part }));
    for (const axis of [0, 1]) {
      const most = [drawing.width, drawing.height][axis];
      const input = element("input", { type: "number", step: "any", min: 0, max: most });
      input.dataset.value = `${corner} ${axis}`;
      input.dataset.suffix = `${part}, ${"xy"[axis]}`;
      input.addEventListener("change", () => {
        const value = Number(input.value);
        if (input.value !== "" && Number.isFinite(value)) {
          edit((edited) => { edited.points[corner][axis] = Math.min(most, Math.max(0, value)); });
        }
        input.value = drawing.shapes[index].points[corner][axis];
      });
      row.append(input);
    }
    if (shape.kind === "zone") {
      const remove = button("×", `Remove corner ${corner + 1}`, () => {
        if (drawing.removeCorner(index, corner)) actions.changed();
        document.querySelectorAll("#list fieldset")[index].querySelector("input").focus();
      });
      remove.disabled = shape.points.length <= 3;
      row.append(remove);
    }
    return row;
  });
}
