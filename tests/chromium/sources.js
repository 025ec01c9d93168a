// What sources.rs asks acorn: functions of a script's source, whose value is a list of complaints.
globalThis.check = {
  // The language of the oldest browsers, which took no reserved word as the name of a property either; and no method
  // that came after it.
  oldest(source) {
    const NEWER = ["addEventListener", "append", "bind", "classList", "dataset", "filter", "forEach", "includes",
      "keys", "map", "matchMedia", "querySelector", "replaceChildren", "textContent", "trim"];
    return complaints(source, { ecmaVersion: 3, allowReserved: "never" }, (node) => {
      const name = node.type === "MemberExpression" && !node.computed && node.property.name;
      return NEWER.includes(name) ? `.${name} is too new` : null;
    });
  },

  module(source) {
    return complaints(source, MODULE, sayComplaint);
  },

  // One that says each language in the other.
  moduleOfLanguages(source) {
    return complaints(source, MODULE, () => null);
  },
};

const MODULE = { ecmaVersion: "latest", sourceType: "module" };

function complaints(source, options, judge) {
  let tree;
  try {
    tree = acorn.parse(source, { ...options, locations: true });
  } catch (error) {
    return [error.message];
  }
  const found = [];
  visit(tree, (node) => {
    const complaint = judge(node);
    if (!complaint) return;
    const text = source.slice(node.start, node.end).slice(0, 120);
    found.push(`${complaint}: line ${node.loc.start.line}, ${text}`);
  });
  return found;
}

// say(english, chinese): both are there, and each is what it is called.
function sayComplaint(node) {
  if (node.type !== "CallExpression" || node.callee.name !== "say") return null;
  if (node.arguments.length === 1 && node.arguments[0].type === "SpreadElement") return null;
  if (node.arguments.length !== 2) return "not two languages";
  const [english, chinese] = node.arguments.map(literalText);
  if (english === "" || chinese === "") return "an empty text";
  if (english !== null && /\p{Script=Han}/u.test(english)) return "Chinese where English stands";
  const hasWords = english !== null && /\p{Letter}{2}/u.test(english);
  if (hasWords && chinese !== null && !/\p{Script=Han}/u.test(chinese)) return "no Chinese";
  return null;
}

// The constant parts of a text, if it is one.
function literalText(node) {
  if (node.type === "Literal") return String(node.value);
  return node.type === "TemplateLiteral" ? node.quasis.map((part) => part.value.cooked).join("…") : null;
}

function visit(node, see) {
  if (node.type) see(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof child === "object" && child.type) visit(child, see);
    }
  }
}
