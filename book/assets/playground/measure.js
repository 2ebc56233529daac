/* <tvae-measure claim="C7 C8 C9" data-folder="...">: a button that measures claims again, here, on the embedded test
   tunes.

   Nothing but this file is loaded before somebody asks. Then come the measures, the tunes and a model (see
   measurement.js), which computes in a worker; the estimate runs along beside the recorded one. Claims of one element
   are measured by the same steps. The element fires "tvae-measured" whenever its numbers change, and has them as
   `estimates` {statistic: [value, low, high]}. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  if (customElements.get("tvae-measure")) return;

  const NEEDED = ["melody", "random", "transfers", "codes", "statistics", "measurement", "engine", "measure-data"];
  const PAUSE = 1200; // ms between two estimates with intervals
  const DRAWS = 400; // of the bootstrap, for these
  const LAST_DRAWS = 2000; // for the last estimate
  const percent = (part) => `${(100 * part).toFixed(2)}%`;

  function element(space, name, attributes, children) {
    const node = space ? document.createElementNS(space, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }
  const make = (name, attributes = {}, ...children) => element("", name, attributes, children);
  const svg = (name, attributes = {}, ...children) => element("http://www.w3.org/2000/svg", name, attributes, children);

  const number = (value) => (value < 0 ? "−" : "") + Math.abs(value).toFixed(2);
  const interval = ([value, low, high]) =>
    Number.isFinite(value)
      ? `${number(value)}${Number.isFinite(low) ? ` (${number(low)} … ${number(high)})` : ""}`
      : "–";

  /** How long in words. */
  function duration(seconds) {
    return seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
  }

  /** A claim's row: its name, and on one axis the threshold, what was recorded and what is measured here. */
  class Row {
    constructor({ id, statement, threshold, at_least: atLeast, recorded, decided }) {
      this.known = [0, 1, threshold, ...(recorded ?? [])];
      this.recorded = recorded;
      this.threshold = threshold;
      this.picture = svg("svg", { class: "tvae-estimates", role: "img" });
      this.value = make("strong", {}, "–");
      const decides = decided
        ? ` Decided on ${decided.corpus}: ${interval(decided.evidence)}, ${decided.verdict}.`
        : "";
      this.root = make(
        "div",
        { class: "tvae-claim" },
        make(
          "p",
          {},
          make("strong", {}, id),
          ` ${statement} `,
          make("small", {}, `Threshold: ${atLeast ? "at least" : "below"} ${threshold}.${decides}`),
        ),
        this.picture,
        make(
          "p",
          { class: "tvae-numbers" },
          make("span", { class: "tvae-here" }, "here: ", this.value),
          " ",
          make("span", { class: "tvae-recorded" }, recorded ? `recorded: ${interval(recorded)}` : "not recorded"),
        ),
      );
      this.show([NaN, NaN, NaN]);
    }

    show(estimate) {
      const values = [...this.known, ...estimate].filter(Number.isFinite);
      const low = Math.min(...values) - 0.05,
        high = Math.max(...values) + 0.05,
        x = (value) => percent((value - low) / (high - low));
      const bar = (y, kind, [value, from, to]) =>
        Number.isFinite(value)
          ? [
              ...(Number.isFinite(from)
                ? [svg("line", { class: `tvae-range ${kind}`, x1: x(from), x2: x(to), y1: y, y2: y })]
                : []),
              svg("circle", { class: kind, cx: x(value), cy: y, r: 5 }),
            ]
          : [];
      const ticks = [...new Set([0, this.threshold, 1])].flatMap((value) => [
        svg("line", {
          class: value === this.threshold ? "tvae-threshold" : "tvae-tick",
          x1: x(value),
          x2: x(value),
          y1: 2,
          y2: 44,
        }),
        svg("text", { x: x(value), y: 58, "text-anchor": "middle" }, `${value}`),
      ]);
      this.picture.replaceChildren(
        ...ticks,
        ...bar(14, "tvae-recorded", this.recorded ?? [NaN]),
        ...bar(32, "tvae-here", estimate),
      );
      this.picture.setAttribute(
        "aria-label",
        `Threshold ${this.threshold}; recorded ${interval(this.recorded ?? [NaN])}; here ${interval(estimate)}`,
      );
      this.value.textContent = interval(estimate);
    }
  }

  class TvaeMeasure extends HTMLElement {
    #engine = null;
    #measurement = null;
    #rows = [];
    #current = null; // the run that goes on; a run ends soon after it is no longer this one
    #last = Promise.resolve(); // the end of the last run: the next one begins after it, so that no step counts twice
    #seconds = 0; // that this measurement has taken so far

    estimates = {};

    connectedCallback() {
      if (this.go) return;
      this.ids = this.getAttribute("claim").split(/\s+/);
      this.go = make("button", { type: "button", class: "tvae-measure-button" });
      this.go.addEventListener("click", () => (this.#current ? (this.#current = null) : this.#start()));
      this.models = make("select", { class: "tvae-measure-select", "aria-label": "Model to measure", hidden: "" });
      this.models.addEventListener("change", () => this.#reset());
      this.words = make("span", { class: "tvae-progress-words" });
      this.progress = make("progress", { max: 1, value: 0, hidden: "", "aria-label": "Measured so far" });
      this.said = make("p", { role: "status" });
      this.claims = make("div", { class: "tvae-claims" });
      this.replaceChildren(
        make("div", { class: "tvae-measure-head" }, this.go, this.models, this.words),
        this.progress,
        this.claims,
        this.said,
      );
      this.#label("Measure it here");
      this.words.textContent =
        `${this.ids.join(", ")} again, in your browser, on tunes that the model has not seen. ` +
        "This loads about 7 MB.";
    }

    disconnectedCallback() {
      this.#current = null;
    }

    #label(words) {
      this.go.textContent = words;
      this.go.setAttribute("aria-label", `${words}: ${this.ids.join(", ")}`);
    }

    // --- what is measured, and with which model

    async #prepare() {
      for (const name of NEEDED) await tvae.script(`${this.dataset.folder}${name}.js`);
      this.#engine = tvae.Engine.of(this.dataset.folder);
      this.models.replaceChildren(
        ...tvae.measureData.models.map(({ id, label }) => make("option", { value: id }, label)),
      );
      this.models.hidden = tvae.measureData.models.length < 2;
    }

    get #entry() {
      return tvae.measureData.models.find(({ id }) => id === this.models.value);
    }

    /** Another model was chosen: from the beginning. */
    #reset() {
      this.#current = null;
      this.#measurement = null;
      this.#seconds = 0;
      this.estimates = {};
      this.progress.hidden = true;
      this.said.textContent = "";
      this.words.textContent = "";
      this.go.disabled = false;
      this.#label("Measure it here");
      this.#list();
    }

    /** The claims as they are for this model. */
    #list() {
      const { claims } = tvae.measureData,
        entry = this.#entry;
      this.#rows = this.ids.map((id) => {
        const claim =
          claims.find((claim) => claim.id === id && claim.model === entry.model) ??
          claims.find((claim) => claim.id === id);
        return { claim, row: new Row({ ...claim, recorded: claim.recorded[entry.id] }) };
      });
      this.claims.replaceChildren(...this.#rows.map(({ row }) => row.root));
    }

    async #begin() {
      const entry = this.#entry;
      this.progress.hidden = false;
      this.words.textContent = `Loading the model: ${entry.label} …`;
      const model = await this.#engine.load(entry, (part) => (this.progress.value = part));
      if (entry === this.#entry)
        this.#measurement = new tvae.Measurement(this.#rows[0].claim.kind, tvae.measureData, model);
    }

    // --- the run

    #start() {
      const run = (this.#current = Symbol("run"));
      this.#label("Stop");
      this.said.textContent = "";
      this.#last = this.#last.then(() => this.#run(run));
    }

    /** Was no other run asked for since? */
    #isLast(run) {
      return (this.#current ?? run) === run;
    }

    async #run(run) {
      try {
        if (!this.#engine) await this.#prepare();
        if (!this.#rows.length) this.#list();
        if (!this.#measurement) await this.#begin();
        if (this.#measurement) await this.#measure(this.#measurement, run); // and not another model meanwhile
      } catch (error) {
        if (!this.#isLast(run)) return;
        this.#current = null;
        this.said.textContent = error.message;
        this.#label("Try again");
      }
    }

    async #measure(measurement, run) {
      const ours = () => measurement === this.#measurement && this.#isLast(run);
      let begun = performance.now(),
        drawn = -Infinity;
      while (this.#current === run && !measurement.done) {
        await measurement.step();
        if (!ours()) break;
        const now = performance.now();
        this.#seconds += (now - begun) / 1000;
        begun = now;
        if (now - drawn > PAUSE) {
          this.#show(measurement, DRAWS);
          drawn = begun = performance.now(); // drawing is no measuring
        }
      }
      if (!ours()) return; // another model was chosen, or the next run goes on with it
      this.#current = null;
      this.#label(measurement.done ? "Measured" : "Go on");
      this.go.disabled = measurement.done;
      if (!measurement.taken) return; // stopped while the model was loading
      this.#show(measurement, LAST_DRAWS);
      const taken = `${measurement.done ? "All" : "Stopped after"} ${this.#count(measurement.taken, measurement)}`;
      const found = this.#rows.map(({ claim }) => `${claim.id} ${interval(this.estimates[claim.statistic])}`);
      this.said.textContent = `${taken}: ${found.join(", ")}.`;
    }

    #count(steps, { kind }) {
      return `${(steps * kind.each).toLocaleString("en")} ${kind.noun}`;
    }

    #show(measurement, draws) {
      const {
          taken,
          kind: { steps },
        } = measurement,
        left = (this.#seconds / taken) * (steps.length - taken);
      this.estimates = measurement.estimates(draws);
      for (const { claim, row } of this.#rows) row.show(this.estimates[claim.statistic]);
      this.progress.value = taken / steps.length;
      this.words.textContent =
        `${this.#count(taken, measurement)} of ${(steps.length * measurement.kind.each).toLocaleString("en")}` +
        (measurement.done ? `, in ${duration(this.#seconds)}` : `, about ${duration(left)} left`);
      this.dispatchEvent(new CustomEvent("tvae-measured", { bubbles: true }));
    }
  }

  customElements.define("tvae-measure", TvaeMeasure);
})();
