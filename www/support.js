// Runs first and in every browser, however old: no syntax and no DOM method
// that came after WebSocket, each feature asked for before it is used. All it
// does is say what is missing, in the reader's language.

(function () {
  var language = String(navigator.language || navigator.userLanguage || "en");
  try {
    language = window.localStorage.getItem("fanfare.language") || language;
  } catch (ignored) {
    // no storage: no choice to remember
  }
  var isChinese = language.toLowerCase().indexOf("zh") === 0;
  var hasWebSocket = !!window.WebSocket;
  var hasModules = "noModule" in document.createElement("script");

  function say(english, chinese) {
    return isChinese ? chinese : english;
  }

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

  function check() {
    write("isWebSocketSupport", String(hasWebSocket));
    if (!hasWebSocket) {
      write("support", say(
        "This browser has no WebSocket, so this page cannot connect. Every current browser has it: please use a newer one.",
        "此浏览器不支持 WebSocket，本页无法建立连接。如今的浏览器都支持它，请换用较新的浏览器。"
      ));
    } else if (!hasModules) {
      write("support", say(
        "This browser has WebSocket, but it is too old for the scripts of this page (JavaScript modules). Please use a newer one.",
        "此浏览器支持 WebSocket，但版本太旧，无法运行本页的脚本（JavaScript 模块）。请换用较新的浏览器。"
      ));
    }
  }

  // The page's own script fills #readyState as soon as it runs. Where it could
  // not be parsed or loaded, the element is still empty.
  function checkScript() {
    var readyState = document.getElementById("readyState");
    if (!hasWebSocket || !hasModules || !readyState || readyState.firstChild) {
      return;
    }
    if (location.protocol === "file:") {
      write("support", say(
        "Browsers load no JavaScript modules from disk: open this page through a server, such as fanfare --www FOLDER.",
        "浏览器不会从磁盘加载 JavaScript 模块：请通过服务器打开本页，例如 fanfare --www 目录。"
      ));
    } else {
      write("support", say(
        "The script of this page did not run: this browser is too old for it, or it could not be loaded.",
        "本页的脚本没有运行：浏览器版本太旧，或者脚本未能加载。"
      ));
    }
  }

  check();
  window.onload = checkScript;
})();
