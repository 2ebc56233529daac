/* tvae.Switches: for each bar a switch that says where its code comes from, and a lock. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody: { BARS },
    elements: { make, button, icon, LOCK, slider },
  } = tvae;
  const { SOURCES, allFrom, using, sampledAnew, newSong } = tvae.patch;
  const numbers = [...Array(BARS).keys()]; // of bars, from 0
  const HINTS = {
    A: "All bars have the code of melody A: its reconstruction",
    B: "All bars have the code of melody B: its reconstruction",
    mix: "All codes lie between those of A and B; the slider says where",
    prior: "All codes are drawn at random, from the distribution that codes have: the model makes something up",
  };

  class Switches {
    /** onPatch(patch, how, kind): how "anew" for a switch, "on" for the slider, under which the music goes on.
        onSamples(): several. */
    constructor(onPatch, onSamples) {
      this.onPatch = onPatch;
      const head = (source) =>
        button(`all ${source}`, () => this.#turn({ ...allFrom(this.patch, source), song: 0 }), {
          "data-source": source,
          title: HINTS[source],
        });
      this.heads = make(
        "div",
        { class: "tvae-heads", role: "group", "aria-label": "All bars" },
        ...SOURCES.map(head),
        make("span", { class: "tvae-small", "aria-hidden": "true" }, "lock"),
      );
      this.bars = numbers.map((bar) => this.#bar(bar));
      this.names = { A: make("span", { class: "tvae-name" }), B: make("span", { class: "tvae-name" }) };
      this.slider = slider("Mix, from A to B", { min: 0, max: 100 }, (mix) =>
        this.#turn({ ...using(this.patch, "mix"), mix }, "on", "mix"),
      );
      this.amount = make("output", { class: "tvae-amount" });
      const again = button("New sample", () => this.#turn(sampledAnew(this.patch)), {
        title: "Draw other codes for the bars on prior that are not locked",
      });
      const several = button("Four …", onSamples, {
        "aria-label": "Four samples to choose from",
        title: "Four samples to choose from",
      });
      this.song = button("New song", () => this.#turn(newSong(this.patch)), {
        title: "Draw all bars that are not locked one after the other, each told from the others: a song with repeats",
      });
      const tails = make(
        "div",
        { class: "tvae-tails" },
        this.names.A,
        this.names.B,
        make("span", { class: "tvae-mix" }, this.slider, this.amount),
        make("span", { class: "tvae-prior" }, this.song, again, several),
      );
      this.root = make(
        "div",
        { class: "tvae-switches", role: "group", "aria-label": "Where each bar's code comes from" },
        this.heads,
        ...this.bars.map(({ root }) => root),
        tails,
      );
    }

    #bar(bar) {
      const dot = (source) => {
        const input = make("input", {
          class: "tvae-dot",
          type: "radio",
          name: `tvae-bar-${bar + 1}`,
          value: source,
          "aria-label": `bar ${bar + 1} from ${source}`,
        });
        input.addEventListener("change", () =>
          this.#turn({ ...this.patch, sources: this.patch.sources.with(bar, source) }),
        );
        return input;
      };
      const column = make(
        "div",
        { class: "tvae-column", role: "radiogroup", "aria-label": `bar ${bar + 1}` },
        ...SOURCES.map(dot),
      );
      const lock = button(
        icon(LOCK),
        () => {
          const { locked } = this.patch;
          this.#turn({ ...this.patch, locked: locked.with(bar, !locked[bar]) }, "");
        },
        {
          class: "tvae-button tvae-lock",
          "aria-label": `lock bar ${bar + 1}`,
          title: "A locked bar keeps its code when all bars are changed",
        },
      );
      return { column, lock, root: make("div", { class: "tvae-bar" }, column, lock) };
    }

    show(patch, A, B) {
      this.patch = patch;
      this.bars.forEach(({ column, lock }, bar) => {
        column.dataset.source = patch.sources[bar];
        column.querySelector(`[value="${patch.sources[bar]}"]`).checked = true;
        lock.setAttribute("aria-pressed", patch.locked[bar]);
      });
      this.slider.value = patch.mix;
      this.slider.setAttribute("aria-valuetext", `${patch.mix} % B`);
      this.amount.textContent = `${patch.mix} %`;
      this.root.style.setProperty("--mix", `${patch.mix}%`);
      this.names.A.textContent = A;
      this.names.B.textContent = B;
    }

    #turn(patch, how = "anew", kind = "") {
      this.onPatch(patch, how, kind);
    }
  }

  tvae.Switches = Switches;
})();
