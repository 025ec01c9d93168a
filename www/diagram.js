// Draws a frame as RFC 6455 §5.2 does: 32 bits a row under a ruler, each field
// in its place with its own bits. Pointing at a field, tapping it, or moving to
// it with the arrow keys says what it is; the rows of the table below do the same.

import { say } from "./language.js";
import { grouped } from "./frame.js";
import { make, onPointing, rich, roveByKeys, setStop } from "./elements.js";

const ROW_BITS = 32;

export function createDiagram(root) {
  const grid = make("div", "bits-grid");
  const more = make("p", "hint");
  const detail = make("div", "field-detail");
  const table = make("table", "fields");
  root.replaceChildren(grid, more, detail, table);
  grid.setAttribute("role", "toolbar");
  detail.id = "fieldDetail";

  let frame = null;
  let buttons = [];
  let chosen = "opcode"; // stays the same from frame to frame, where there is one
  let pointed = null;

  function show(next) {
    frame = next;
    if (!frame.fields.some((field) => field.id === chosen)) chosen = "opcode";
    const hadFocus = grid.contains(document.activeElement);
    grid.setAttribute("aria-label", say("The bits of the frame, field by field", "帧的各个位，按字段"));
    grid.replaceChildren(...ruler(), ...frame.fields.flatMap(segments));
    buttons = [...grid.querySelectorAll("button")];
    table.replaceChildren(tableHead(), tableBody(frame.fields));
    more.textContent = frame.missing > 0
      ? say(
        `… and ${grouped.format(frame.missing)} more bytes: only the first 64 of a frame are recorded.`,
        `……还有 ${frame.missing} 字节：每帧只记录前 64 字节。`,
      )
      : "";
    pointed = null;
    choose(chosen);
    if (hadFocus) buttons.find((button) => button.tabIndex === 0)?.focus({ preventScroll: true });
  }

  function choose(id) {
    chosen = id;
    setStop(buttons, buttons.find((button) => button.dataset.field === id) ?? buttons[0]);
    point(id);
  }

  // Shows a field without choosing it.
  function point(id) {
    if (id === pointed) return; // the link in it may have the focus
    pointed = id;
    for (const element of root.querySelectorAll("[data-field]")) {
      element.classList.toggle("chosen", element.dataset.field === id);
    }
    for (const button of root.querySelectorAll("button[data-field]")) {
      button.setAttribute("aria-pressed", String(button.dataset.field === id));
    }
    detail.dataset.colour = colour(id);
    detail.replaceChildren(...describe(frame.fields.find((field) => field.id === id)));
  }

  // Marks a byte of the payload, and the one of the key that masks it.
  function markByte(index) {
    const marked = [`payload ${index}`, `key ${index % 4}`];
    for (const cell of grid.querySelectorAll("[data-byte-of]")) {
      cell.classList.toggle("marked", marked.includes(cell.dataset.byteOf));
    }
  }

  const fieldAt = (event) => event.target.closest("[data-field]")?.dataset.field;
  for (const part of [grid, table]) {
    part.addEventListener("click", (event) => fieldAt(event) && choose(fieldAt(event)));
    onPointing(part, (event) => {
      if (event.pointerType === "mouse" && fieldAt(event)) point(fieldAt(event));
    });
    part.addEventListener("pointerleave", () => frame && point(chosen));
  }
  grid.addEventListener("focusin", (event) => fieldAt(event) && choose(fieldAt(event)));
  roveByKeys(grid, () => buttons, (button) => choose(button.dataset.field));

  return { show, markByte };
}

// The ruler of the RFC: tens above, units below.
function ruler() {
  const marks = [];
  for (let bit = 0; bit < ROW_BITS; bit += 1) {
    const mark = make("span", "ruler", make("i", "", bit % 10 ? "" : String(bit / 10)), String(bit % 10));
    mark.setAttribute("aria-hidden", "true");
    marks.push(mark);
  }
  return marks;
}

// The parts of a field, one for each row that it touches. The first is a button
// that speaks for all of them.
function segments(field) {
  const parts = [];
  const end = field.first + field.bits.length;
  for (let first = field.first; first < end;) {
    const last = Math.min(end, (Math.floor(first / ROW_BITS) + 1) * ROW_BITS);
    parts.push(segment(field, first, last, parts.length === 0));
    first = last;
  }
  return parts;
}

function segment(field, first, last, isFirst) {
  const element = make(isFirst ? "button" : "div", "segment");
  element.dataset.field = field.id;
  element.dataset.colour = colour(field.id);
  element.style.gridColumn = `${(first % ROW_BITS) + 1} / span ${last - first}`;
  element.style.gridRow = String(Math.floor(first / ROW_BITS) + 2); // the ruler is the first row
  const own = field.bits.slice(first - field.first, last - field.first);
  element.append(bitCells(own));
  if (field.count >= 16) element.append(byteCells(own, field.id, (first - field.first) / 8));
  if (isFirst) {
    element.type = "button";
    element.setAttribute("aria-describedby", "fieldDetail");
    const name = make("span", "", shortName(field));
    name.lang = "en"; // as the RFC has it
    const className = field.count === 1 ? "name upright" : "name";
    element.append(make("span", className, name, make("span", "spoken", spoken(field))));
  } else {
    element.setAttribute("aria-hidden", "true");
  }
  return element;
}

function bitCells(bits) {
  const cells = make("span", "bits", ...Array.from(bits, (bit) => make("b", bit === "1" ? "one" : "", bit)));
  cells.style.gridTemplateColumns = `repeat(${bits.length}, minmax(0, 1fr))`;
  cells.setAttribute("aria-hidden", "true"); // the name says it
  return cells;
}

// The same once more in hex: fields of 16 bits and more begin and end with a byte.
function byteCells(bits, id, firstByte) {
  const bytes = bits.match(/.{8}/g) ?? [];
  const cells = make("span", "bytes", ...bytes.map((byte, i) => {
    const cell = make("code", "", parseInt(byte, 2).toString(16).padStart(2, "0"));
    cell.dataset.byteOf = `${id} ${firstByte + i}`;
    return cell;
  }));
  cells.style.gridTemplateColumns = `repeat(${bytes.length}, minmax(0, 1fr))`;
  cells.setAttribute("aria-hidden", "true");
  return cells;
}

function shortName({ id, names }) {
  return names[0].split(",")[0];
}

// The three lengths look alike, and so do the three reserved bits.
function colour(id) {
  return id.replace(/\d+$/, "");
}

function place({ first, count }) {
  return count === 1
    ? say(`bit ${first}`, `第 ${first} 位`)
    : say(`bits ${first}–${first + count - 1}`, `第 ${first}–${first + count - 1} 位`);
}

function spoken(field) {
  const value = field.count > 64 ? "" : say(`, value ${field.value}`, `，值 ${field.value}`);
  return say(", ", "，") + place(field) + value;
}

function describe(field) {
  const bits = field.bits.length > 64 ? `${field.bits.slice(0, 64)} …` : field.bits;
  const value = field.value === field.bits ? "" : ` = ${shortened(field.value)}`;
  const link = make("a", "", `RFC ${field.rfc} §${field.section}`);
  link.href = `https://www.rfc-editor.org/rfc/rfc${field.rfc}#section-${field.section}`;
  link.rel = "noreferrer";
  return [
    make("h4", "", say(...field.names), " ", make("small", "", place(field))),
    make("p", "", make("code", "field-bits", inFours(bits) + value)),
    make("p", "", ...rich(say(...field.meaning)), " ", link),
  ];
}

// In fours from the right, as one reads binary numbers.
function inFours(bits) {
  return bits.replace(/\B(?=(?:[01]{4})+(?: |$))/g, " ");
}

function shortened(value) {
  return value.length > 60 ? `${value.slice(0, 60)} …` : value;
}

function tableHead() {
  const names = [say("Field", "字段"), say("Bits", "位"), say("Value", "值")];
  return make("thead", "", make("tr", "", ...names.map((name) => {
    const cell = make("th", "", name);
    cell.scope = "col";
    return cell;
  })));
}

function tableBody(fields) {
  return make("tbody", "", ...fields.map((field) => {
    const button = make("button", "", say(...field.names));
    button.type = "button";
    button.tabIndex = -1; // the diagram is the way for the keyboard
    button.dataset.field = field.id;
    button.dataset.colour = colour(field.id);
    const head = make("th", "", button);
    head.scope = "row";
    const value = make("td", "value", make("code", "", shortened(field.value)));
    const row = make("tr", "", head, make("td", "", String(field.count)), value);
    row.dataset.field = field.id;
    return row;
  }));
}
