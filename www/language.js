// English and Chinese, without a table of keys: the English text stands in the
// HTML, its Chinese beside it in the same element's data-zh. A part in
// backticks becomes a <code> element; data-zh-label is for aria-label,
// data-zh-placeholder for placeholder. A line may be broken anywhere: Chinese has
// no spaces. Scripts say both: say("English", "中文").

import { rich } from "./elements.js";

const STORE = "fanfare.language";
const ATTRIBUTES = { label: "aria-label", placeholder: "placeholder" };

let language = remembered() || preferred();
const listeners = [];
const englishNodes = new WeakMap(); // element: the nodes that were in it at first

export function say(english, chinese) {
  return language === "en" ? english : chinese;
}

// Calls at once, and after each switch.
export function onLanguage(callback) {
  listeners.push(callback);
  callback();
}

// What has a data-zh is replaced whole, so it holds text and <code>, and no control.
function translate() {
  for (const element of document.querySelectorAll("[data-zh]")) translateText(element);
  for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
    for (const element of document.querySelectorAll(`[data-zh-${name}]`)) {
      const english = element.getAttribute(`data-en-${name}`) ?? element.getAttribute(attribute);
      element.setAttribute(`data-en-${name}`, english);
      element.setAttribute(attribute, say(english, element.getAttribute(`data-zh-${name}`)));
    }
  }
}

function translateText(element) {
  const chinese = element.getAttribute("data-zh");
  if (!englishNodes.has(element)) englishNodes.set(element, [...element.childNodes]);
  element.replaceChildren(...(language === "en" ? englishNodes.get(element) : rich(oneLine(chinese))));
}

function oneLine(text) {
  return text.replace(/\s*\n\s*/g, "");
}

// The first language of the browser's list that these pages speak.
function preferred() {
  const known = navigator.languages.find((tag) => /^(zh|en)\b/i.test(tag)) ?? "en";
  return /^zh/i.test(known) ? "zh-CN" : "en";
}

function remembered() {
  try {
    const value = localStorage.getItem(STORE);
    return value === "en" || value === "zh-CN" ? value : null;
  } catch {
    return null; // storage may be forbidden
  }
}

function remember() {
  try {
    localStorage.setItem(STORE, language);
  } catch {
    // then the choice lasts as long as the page
  }
}

function apply() {
  document.documentElement.lang = language;
  translate();
  const button = document.getElementById("language");
  button.textContent = say("中文", "English"); // the other one, by its own name
  button.lang = say("zh-CN", "en");
  for (const callback of listeners) callback();
}

document.getElementById("language").addEventListener("click", () => {
  language = say("zh-CN", "en");
  remember();
  apply();
});
apply();
