/* tvae.Switches: for each bar a switch that says where its code comes from. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { melody: { BARS }, elements: { make, button }, patch: { SOURCES } } = tvae;
  const numbers = [...Array(BARS).keys()]; // of bars, from 0

  class Switches {
    /** onChange(how): "anew" for a switch, "on" for the slider, under which the music goes on. */
    constructor(patch, onChange) {
      this.onChange = onChange;
      const head = (source) => button(`all ${source}`, () => this.#all(source), { "data-source": source });
      this.heads = make("div", { class: "tvae-heads", role: "group", "aria-label": "All bars" }, ...SOURCES.map(head));
      this.columns = numbers.map((bar) => {
        const dot = (source) => {
          const attributes = { type: "radio", name: `tvae-bar-${bar + 1}`, value: source, "aria-label": `bar ${bar + 1} from ${source}` };
          const input = make("input", { class: "tvae-dot", ...attributes });
          input.addEventListener("change", () => this.#turn({ sources: this.patch.sources.with(bar, source) }));
          return input;
        };
        return make("div", { class: "tvae-column", role: "radiogroup", "aria-label": `bar ${bar + 1}` }, ...SOURCES.map(dot));
      });
      this.names = { A: make("span", { class: "tvae-name" }), B: make("span", { class: "tvae-name" }) };
      this.slider = make("input", { class: "tvae-slider", type: "range", min: 0, max: 100, step: 1, "aria-label": "Mix, from A to B" });
      this.slider.addEventListener("input", () => this.#slide());
      this.amount = make("output", { class: "tvae-amount" });
      this.seed = button("Draw again", () => this.#turn({ seed: (this.patch.seed + 1) % 2 ** 32, ...this.#unless("prior") }));
      const tails = make("div", { class: "tvae-tails" }, this.names.A, this.names.B,
        make("span", { class: "tvae-mix" }, this.slider, this.amount), make("span", { class: "tvae-prior" }, this.seed));
      this.root = make("div", { class: "tvae-switches", role: "group", "aria-label": "Which song gives each bar's code" },
        this.heads, ...this.columns, tails);
      this.show(patch);
    }

    show(patch, A = "", B = "") {
      this.patch = patch;
      this.columns.forEach((column, bar) => {
        column.dataset.source = patch.sources[bar];
        column.querySelector(`[value="${patch.sources[bar]}"]`).checked = true;
      });
      this.slider.value = patch.mix;
      this.slider.setAttribute("aria-valuetext", `${patch.mix} % B`);
      this.amount.textContent = `${patch.mix} %`;
      this.root.style.setProperty("--mix", `${patch.mix}%`);
      this.names.A.textContent = A;
      this.names.B.textContent = B;
    }

    #turn(change, how = "anew") {
      this.patch = { ...this.patch, ...change };
      this.onChange(how);
    }

    #all(source) {
      this.#turn({ sources: Array(BARS).fill(source) });
    }

    /** Who turns the knob of a source that no bar uses means it for all bars. */
    #unless(source) {
      return this.patch.sources.includes(source) ? {} : { sources: Array(BARS).fill(source) };
    }

    #slide() {
      this.#turn({ mix: Number(this.slider.value), ...this.#unless("mix") }, "on");
    }
  }

  tvae.Switches = Switches;
})();
