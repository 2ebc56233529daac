/* tvae.Actions: what is done with a result: files, a link, another round. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    sound,
    elements: { make, button, enable, save },
    words: { fileName },
  } = tvae;

  const RATE = 44100; // samples a second of a WAV file

  class Actions {
    /** result(): {tokens, title, tempo}, or null before the first. heard(): the piece that the large roll shows.
        link(): puts it into the address. onReuse(result): it is to be melody A. `more`: buttons of others, to stand
        among these. */
    constructor({ result, heard, link, onReuse, more }) {
      const act = (words, what) => button(words, () => result() && what(result()));
      this.heard = heard;
      this.link = link;
      this.uses = [
        act("Download MIDI", (found) => this.#midi(found)),
        act("Download WAV", () => this.#wav()),
        act("Use as A", onReuse),
      ];
      this.allow(false); // until there is a result
      this.copied = make("input", { class: "tvae-link", readonly: "", hidden: "", "aria-label": "The link" });
      this.copy = button("Copy link", () => this.#copy(), { title: "A link that holds all of this, notes included" });
      const [midi, wav, reuse] = this.uses;
      this.root = make("div", { class: "tvae-actions" }, midi, wav, this.copy, reuse, ...more, this.copied);
    }

    allow(on) {
      for (const use of this.uses) enable(use, on);
    }

    #midi({ tokens, title, tempo }) {
      save(tvae.midi.write_midi(tokens, { tempo, name: title }), "audio/midi", `${fileName(title)}.mid`);
    }

    async #wav() {
      const piece = this.heard();
      save(sound.wav(await sound.render(piece, RATE), RATE), "audio/wav", `${fileName(piece.title)}.wav`);
    }

    async #copy() {
      this.link();
      try {
        await navigator.clipboard.writeText(location.href);
        this.copy.textContent = "Link copied";
        setTimeout(() => (this.copy.textContent = "Copy link"), 2000);
      } catch {
        // not allowed here: to be copied by hand
        this.copied.hidden = false;
        this.copied.value = location.href;
        this.copied.select();
      }
    }
  }

  tvae.Actions = Actions;
})();
