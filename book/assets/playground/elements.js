/* tvae.elements: what the parts of the playground are made of. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { roll: { html: make, svg, percent } } = tvae;

  function button(words, act, attributes = {}) {
    const node = make("button", { type: "button", class: "tvae-button", ...attributes }, words);
    node.addEventListener("click", act);
    return node;
  }

  const icon = (path) => svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: path }));
  const UNDO = "M9 5 4 10l5 5M4 10h10a6 6 0 0 1 0 12h-3", REDO = "m15 5 5 5-5 5M20 10H10a6 6 0 0 0 0 12h3";

  tvae.elements = { make, svg, percent, button, icon, UNDO, REDO };
})();
