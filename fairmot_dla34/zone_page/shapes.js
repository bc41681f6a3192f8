// Lines and zones as they are in the file, with a history of changes. Coordinates are px of the image.

const COLOURS = ["#ffb000", "#4fc3ff", "#ff7ab8", "#7ee081", "#c9a6ff", "#ff8a5c"];

export class Drawing {
  constructor(width, height, lines, zones) {
    Object.assign(this, { width, height });
    this.shapes = [
      ...lines.map((table) => ({ kind: "line", table, points: [table.start, table.end] })),
      ...zones.map((table) => ({ kind: "zone", table, points: table.points })),
    ].map(({ kind, table, points }) => ({ kind, table: { ...table }, points: points.map((point) => [...point]) }));
    this.past = [];
    this.future = [];
    this.saved = this.text();
  }

  text() {
    return JSON.stringify(this.shapes);
  }

  get changed() {
    return this.text() !== this.saved;
  }

  // Remember the state before a change.
  remember() {
    this.past.push(this.text());
    this.future = [];
  }

  // Forget the last remembered state if nothing changed since.
  settle() {
    if (this.past.at(-1) === this.text()) this.past.pop();
  }

  undo() {
    if (!this.past.length) return false;
    this.future.push(this.text());
    this.shapes = JSON.parse(this.past.pop());
    return true;
  }

  redo() {
    if (!this.future.length) return false;
    this.past.push(this.text());
    this.shapes = JSON.parse(this.future.pop());
    return true;
  }

  // Whole px within the image.
  clamp([x, y]) {
    const limit = (value, most) => Math.min(most, Math.max(0, Math.round(value)));
    return [limit(x, this.width), limit(y, this.height)];
  }

  add(kind, points) {
    const names = new Set(this.shapes.map((shape) => shape.table.name));
    let number = 1;
    while (names.has(`${kind} ${number}`)) number += 1;
    const table = { name: `${kind} ${number}`, anchor: "foot" };
    if (kind === "line") Object.assign(table, { forward: "in", backward: "out" });
    this.remember();
    this.shapes.push({ kind, table, points: points.map((point) => this.clamp(point)) });
    return this.shapes.length - 1;
  }

  remove(index) {
    this.remember();
    this.shapes.splice(index, 1);
  }

  setPoint(index, corner, point) {
    this.shapes[index].points[corner] = this.clamp(point);
  }

  addCorner(index, after, point) {
    this.remember();
    this.shapes[index].points.splice(after + 1, 0, this.clamp(point));
  }

  removeCorner(index, corner) {
    const { kind, points } = this.shapes[index];
    if (kind === "line" || points.length <= 3) return false;
    this.remember();
    points.splice(corner, 1);
    return true;
  }

  // Exchange the sides of a line: its forward direction then leads the other way.
  turn(index) {
    this.remember();
    this.shapes[index].points.reverse();
  }

  // The tables `line` and `zone` of the file.
  tables() {
    const of = (kind) => this.shapes.filter((shape) => shape.kind === kind);
    return {
      line: of("line").map(({ table, points: [start, end] }) => ({ ...table, start, end })),
      zone: of("zone").map(({ table, points }) => ({ ...table, points })),
    };
  }
}

export function colour(index) {
  return COLOURS[index % COLOURS.length];
}

export function middle([ax, ay], [bx, by]) {
  return [(ax + bx) / 2, (ay + by) / 2];
}

// Unit vector of the forward direction: from the left hand to the right hand of someone who looks from start to end.
// In image px, where y points down, that is the direction of the line turned clockwise by 90 degrees.
export function forward([[ax, ay], [bx, by]]) {
  const length = Math.hypot(bx - ax, by - ay) || 1;
  return [-(by - ay) / length, (bx - ax) / length];
}
