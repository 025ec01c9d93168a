// Two rates over the last 60 seconds, as lines. What is counted is kept by the
// second; only whole seconds are drawn.

import { onLanguage, say } from "./language.js";

const SECONDS = 60;
const WIDTH = 600;
const HEIGHT = 120;
const SVG = "http://www.w3.org/2000/svg";

export function createChart(element) {
  const counters = { sent: createCounter(), delivered: createCounter() };
  const svg = svgElement("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  for (const part of [0.25, 0.5, 0.75]) {
    svg.append(svgElement("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT * part, y2: HEIGHT * part }));
  }
  const area = svgElement("polygon", { class: "delivered" });
  const lines = {
    delivered: svgElement("polyline", { class: "delivered" }),
    sent: svgElement("polyline", { class: "sent" }), // dashed, and on top: most often both are one
  };
  svg.append(area, lines.delivered, lines.sent);
  // Not in the SVG, which is stretched to the width that there is.
  const labels = ["top", "start", "end"].map((name) => {
    const label = document.createElement("span");
    label.className = name;
    return label;
  });
  element.append(svg, ...labels);

  // The rates of the last whole second.
  function draw() {
    const series = Object.entries(counters).map(([name, counter]) => [name, counter.lastSeconds()]);
    const top = roundUp(Math.max(10, ...series.flatMap(([, values]) => values)));
    const rates = {};
    for (const [name, values] of series) {
      const points = values.map((value, index) => {
        const x = (index / (SECONDS - 1)) * WIDTH;
        const y = HEIGHT - 2 - (value / top) * (HEIGHT - 4); // the line's own width stays inside
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      });
      lines[name].setAttribute("points", points.join(" "));
      if (name === "delivered") area.setAttribute("points", `0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`);
      rates[name] = values.at(-1);
    }
    const texts = [String(top), say("60 s ago", "60 秒前"), say("now", "现在")];
    labels.forEach((label, index) => { label.textContent = texts[index]; });
    svg.setAttribute("aria-label", say(
      `Notices a second over the last minute: ${rates.sent} sent and ${rates.delivered} delivered now`,
      `最近一分钟每秒的通知数：现在发送 ${rates.sent}，送达 ${rates.delivered}`,
    ));
    return rates;
  }

  onLanguage(draw);
  return { sent: counters.sent.count, delivered: counters.delivered.count, draw };
}

// A ring: each second has a place, which is emptied when its turn comes again.
function createCounter() {
  const counts = new Array(SECONDS + 1).fill(0);
  let current = second();

  function advance() {
    const now = second();
    const passed = Math.min(now - current, counts.length);
    for (let back = 0; back < passed; back += 1) counts[(now - back) % counts.length] = 0;
    current = now;
  }

  function count() {
    advance();
    counts[current % counts.length] += 1;
  }

  function lastSeconds() {
    advance();
    return Array.from({ length: SECONDS }, (_, index) => counts[(current + 1 + index) % counts.length]);
  }

  return { count, lastSeconds };
}

function second() {
  return Math.floor(performance.now() / 1000);
}

// To the next of 1, 2, 5, 10, 20, 50, …
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * power >= value) * power;
}

function svgElement(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
