/* tvae.Candidates: several samples from the prior to choose from; locked bars keep theirs. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody,
    elements: { make, button, heading },
    patch: { sampledAnew },
  } = tvae;
  const COUNT = 4;

  class Candidates {
    #asked = 0;
    #first = 1;
    #state = null; // that they belong to

    /** onUse(patch); result(state, patch): a promise of the tokens that this patch gives. */
    constructor(onUse, result) {
      this.onUse = onUse;
      this.result = result;
      this.list = make("div", { class: "tvae-candidates" });
      this.words = make("p", { class: "tvae-small" });
      this.root = make(
        "section",
        { class: "tvae-panel", "aria-label": "Samples to choose from", hidden: "" },
        heading("Samples to choose from"),
        this.words,
        this.list,
        make(
          "div",
          { class: "tvae-tools" },
          button("Four others", () => this.open(this.#state, this.#first + COUNT)),
          button("Close", () => this.close()),
        ),
      );
    }

    /** Four samples of what is on prior in this state and not locked, from the `first` that was not heard. */
    async open(state, first = 1) {
      const asked = (this.#asked += 1),
        wanted = () => asked === this.#asked; // and no others, nor none
      this.#state = state;
      this.#first = first;
      this.root.hidden = false;
      this.root.setAttribute("aria-busy", true);
      this.words.textContent =
        "Each bar on prior that is not locked gets another random code. " +
        "A locked bar keeps its code; its notes may still follow what comes before it.";
      const patches = Array.from({ length: COUNT }, (_, k) => sampledAnew(state.patch, first + k));
      try {
        const found = await Promise.all(patches.map((patch) => this.result(state, patch)));
        if (wanted()) this.#show(state, patches, found, first);
      } catch (error) {
        const alert = make("span", { class: "tvae-alert", role: "alert" }, error.message);
        if (wanted()) this.words.replaceChildren(alert);
      } finally {
        if (wanted()) this.root.setAttribute("aria-busy", false);
      }
    }

    #show({ tempo, A }, patches, found, first) {
      const pieces = found.map((tokens, k) =>
        melody.piece(tokens, { title: `Sample ${first + k}`, role: "result", tempo: tempo ?? A.tempo }),
      );
      const low = Math.min(...pieces.map((piece) => piece.low)),
        high = Math.max(...pieces.map((piece) => piece.high));
      this.list.replaceChildren(
        ...pieces.map((piece, k) => {
          const player = make("tvae-player");
          player.piece = { ...piece, low, high };
          return make(
            "div",
            {},
            player,
            button("Use this one", () => this.#use(patches[k]), { "aria-label": `Use sample ${first + k}` }),
          );
        }),
      );
    }

    #use(patch) {
      this.close();
      this.onUse(patch);
    }

    close() {
      this.#asked += 1;
      this.root.hidden = true;
      this.list.replaceChildren();
    }

    /** Another state: what was drawn for the one before does not belong to it. */
    show(state) {
      if (!this.root.hidden && state !== this.#state) this.close();
    }
  }

  tvae.Candidates = Candidates;
})();
