// Runs first and in every browser, however old: no syntax and no DOM method
// that came after WebSocket. All it does is say what is missing.

function write(id, text) {
  var element = document.getElementById(id);
  if (!element) {
    return;
  }
  while (element.firstChild) {
    element.removeChild(element.firstChild);
  }
  element.appendChild(document.createTextNode(text));
}

var hasWebSocket = !!window.WebSocket;

write("isWebSocketSupport", String(hasWebSocket));

if (!hasWebSocket) {
  write("support", "This browser has no WebSocket, so this page cannot connect. Please use a newer browser.");
}

// The page's own script fills #readyState as soon as it runs. A browser that
// cannot parse it, or did not get it, leaves the element empty.
window.onload = function () {
  var readyState = document.getElementById("readyState");
  if (hasWebSocket && readyState && !readyState.firstChild) {
    write("support", "The script of this page did not run: this browser is too old for it, or it could not be loaded.");
  }
};
