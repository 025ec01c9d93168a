// What languages.rs asks of the HTML as it is sent: a function of it, whose value is a list of elements with English
// that no Chinese stands beside, and of Chinese that is none.
(html) => {
  const NAMES =
    /^(?:fanfare|WebSocket|window\.WebSocket|readyState|url|URL|protocol|extensions|bufferedAmount|binaryType)$/;
  const ROWS_OF_NAMES = "tbody td:first-child"; // of browsers
  const UNSPOKEN = "code, pre, script, style, noscript, option, #language, svg, output";
  const root = new DOMParser().parseFromString(html, "text/html");
  const found = [];
  const describe = (element) => element.outerHTML.slice(0, 120);
  const isChinese = (text) => /\p{Script=Han}/u.test(text ?? "");
  for (const element of root.querySelectorAll("title, body *")) {
    if (element.closest(UNSPOKEN)) continue;
    const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const words = texts.map((node) => node.data.trim());
    const isEnglish = words.some((text) => /[a-z]{2}/i.test(text) && !NAMES.test(text.replace(" · fanfare", "")));
    if (isEnglish && !element.closest("[data-zh]") && !element.matches(ROWS_OF_NAMES)) {
      found.push(`no data-zh: ${describe(element)}`);
    }
    for (const [english, chinese] of [["aria-label", "data-zh-label"], ["placeholder", "data-zh-placeholder"]]) {
      const text = element.getAttribute(english);
      if (/[a-z]{2}/i.test(text ?? "") && !NAMES.test(text) && !element.hasAttribute(chinese)) {
        found.push(`no ${chinese}: ${describe(element)}`);
      }
    }
    for (const name of ["data-zh", "data-zh-label", "data-zh-placeholder"]) {
      const text = element.getAttribute(name);
      if (text === null) continue;
      if (!isChinese(text)) found.push(`${name} is not Chinese: ${describe(element)}`);
      if (text.split("`").length % 2 === 0) found.push(`${name} has a backtick without another: ${describe(element)}`);
    }
    // What has data-zh is replaced whole.
    if (element.hasAttribute("data-zh") && element.querySelector("[data-zh], [id], a, button, input, select")) {
      found.push(`data-zh around what must stay: ${describe(element)}`);
    }
  }
  return found;
}
