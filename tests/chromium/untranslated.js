// What languages.rs asks of a page that is shown in 中文: an expression whose value is a list of texts that have
// letters, no Chinese, and are no names. Names of the API, of the RFC and of browsers are the same in both languages.
(() => {
  const NAMES = new Set((
    // fanfare, and the API
    "fanfare WebSocket window readyState CONNECTING OPEN CLOSING CLOSED url URL protocol extensions binaryType " +
    "bufferedAmount send string Blob File ArrayBuffer Uint8Array blob arraybuffer code reason wasClean true false " +
    "open message error close InvalidAccessError SyntaxError InvalidStateError " +
    // the RFC, and its units
    "FIN RSV MASK Opcode opcode permessage deflate PING PONG ping pong TCP HTTP TLS RFC GET SHA GUID Base UTF ASCII " +
    "Sec Accept Key Upgrade Connection Host Origin Version Protocol Extensions bit bits ms us MB KiB " +
    // browsers
    "Chrome Android Internet Explorer IE Mobile Firefox iOS Safari Browser UC Opera Mini for"
  ).split(" "));
  const UNSPOKEN =
    "code, pre, samp, kbd, script, style, noscript, option, [lang='en'], .brand, #log .body, #log .exception .detail";
  const hasChinese = (text) => /\p{Script=Han}/u.test(text);
  const isForeign = (text) =>
    !hasChinese(text) && (text.match(/\p{Letter}+/gu) ?? []).some((word) => word.length > 1 && !NAMES.has(word));

  const found = [];
  const look = (where, text) => { if (isForeign(text)) found.push(`${where}: ${text.trim()}`); };
  look("title", document.title);
  for (const element of document.querySelectorAll("body, body *")) {
    if (element.closest(UNSPOKEN) || !element.checkVisibility()) continue;
    const where = element.localName + (element.id && `#${element.id}`) + (element.className.baseVal ?? element.className)
      .replace(/^(?=.)/, ".");
    // A value that the browser or the server gives: "permessage-deflate; server_no_context_takeover", an address.
    if (element.localName === "dd" && /^[\w; =.:/?-]*$/.test(element.textContent)) continue;
    for (const node of element.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) look(where, node.data);
    }
    for (const name of ["aria-label", "aria-valuetext", "aria-description", "placeholder", "title", "alt"]) {
      if (element.hasAttribute(name)) look(`${where} ${name}`, element.getAttribute(name));
    }
    for (const pseudo of ["::before", "::after"]) {
      const { content } = getComputedStyle(element, pseudo);
      if (content.startsWith('"')) look(where + pseudo, content);
    }
  }
  return found;
})()
