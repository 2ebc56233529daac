/* tvae.elements: what the parts of the playground are made of. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { html: make, svg, percent } = tvae.roll;

  function button(words, act, attributes = {}) {
    const node = make("button", { type: "button", class: "tvae-button", ...attributes }, words);
    node.addEventListener("click", act);
    return node;
  }

  const icon = (path) => svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: path }));
  const UNDO = "M9 5 4 10l5 5M4 10h10a6 6 0 0 1 0 12h-3",
    REDO = "m15 5 5 5-5 5M20 10H10a6 6 0 0 0 0 12h3";
  const LOCK = "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3";

  /** Not `disabled`, which would take the focus away. */
  const enable = (node, on) => node.setAttribute("aria-disabled", !on);
  const enabled = (node) => node.getAttribute("aria-disabled") !== "true";

  /** A heading; `unseen` ones are for those who hear the page or jump from one to the next. */
  const heading = (words, unseen = false) => make("h2", { class: unseen ? "tvae-unseen" : "tvae-heading" }, words);

  /** A list to choose from; onChange(value). choices: [[value, words], ...] */
  function select(label, choices, onChange) {
    const options = choices.map(([value, words]) => make("option", { value }, words));
    const node = make("select", { class: "tvae-select", "aria-label": label }, ...options);
    node.addEventListener("change", () => onChange(node.value));
    return node;
  }

  /** One of a few, all to be seen; onChange(value). */
  function radios(label, name, choices, onChange) {
    const node = make("div", { class: "tvae-radios", role: "radiogroup", "aria-label": label });
    for (const [value, words] of choices) {
      const input = make("input", { type: "radio", name, value });
      input.addEventListener("change", () => onChange(value));
      node.append(make("label", {}, input, make("span", {}, words)));
    }
    return node;
  }

  function checkbox(words, onChange) {
    const input = make("input", { type: "checkbox" });
    input.addEventListener("change", () => onChange(input.checked));
    return [make("label", { class: "tvae-check" }, input, words), input];
  }

  /** A slider; onInput(value) while it moves. */
  function slider(label, { min, max, step = 1 }, onInput) {
    const node = make("input", { class: "tvae-slider", type: "range", min, max, step, "aria-label": label });
    node.addEventListener("input", () => onInput(Number(node.value)));
    return node;
  }

  /** Give the reader a file. */
  function save(bytes, type, name) {
    const url = URL.createObjectURL(new Blob([bytes], { type }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  tvae.elements = {
    make,
    svg,
    percent,
    button,
    icon,
    UNDO,
    REDO,
    LOCK,
    enable,
    enabled,
    heading,
    select,
    radios,
    checkbox,
    slider,
    save,
  };
})();
