// Elements made by scripts. Text is text, whatever is in it.

export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

// The nodes of a text whose parts in backticks are code. For our own words only.
export function rich(text) {
  return text.split("`").map((part, i) => (i % 2 ? make("code", "", part) : part));
}

// Foreign text: its direction stays its own, and its control characters can be seen.
export function foreign(text) {
  return make("bdi", "", visible(text));
}

export function visible(text) {
  return text
    .replace(/[\u0000-\u001f]/g, (character) => String.fromCharCode(0x2400 + character.charCodeAt(0)))
    .replace(/\u007f/g, "\u2421");
}

// Calls when the pointer moves, and not when the page moves below a pointer that
// rests: that is no pointing, and would overrule the keyboard.
export function onPointing(element, callback) {
  element.addEventListener("pointermove", (event) => {
    if (event.movementX !== 0 || event.movementY !== 0) callback(event);
  });
}

// One Tab stop for many elements: arrows, Home and End move among them, the way
// toolbars do it. `elements()` gives them in order, `up` and `down` how many to
// go for the other two arrows.
export function roveByKeys(root, elements, choose, step = () => 1) {
  root.addEventListener("keydown", (event) => {
    const all = elements();
    const here = all.indexOf(document.activeElement);
    if (here < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = {
      ArrowLeft: () => here - 1,
      ArrowRight: () => here + 1,
      ArrowUp: () => here - step(here, -1),
      ArrowDown: () => here + step(here, 1),
      Home: () => 0,
      End: () => all.length - 1,
    }[event.key];
    if (!target) return;
    event.preventDefault(); // the page stays where it is
    const next = all[Math.min(Math.max(target(), 0), all.length - 1)];
    choose(next);
    next.focus();
  });
}

// Makes one of them the one that Tab leads to.
export function setStop(elements, chosen) {
  for (const element of elements) element.tabIndex = element === chosen ? 0 : -1;
}
