/* tvae.Strip: which part of a MIDI file, and which eight bars of it.

   A piece from a file has `file`: {parts: [{name, instrument, notes: how many, low, high}], part: which one, line: the
   notes of that whole part in steps, bars: how many it has, start: the first bar of the window, from 0, read(part,
   start): another piece of this file}. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody,
    melody: { BARS, STEPS, TvaeError },
    elements: { make, svg, percent },
  } = tvae;

  class Strip {
    #file = null;
    #start = 0;
    #grip = null; // bars from the window's begin to where it was taken

    /** onPiece(piece): another part or window. onError(words): there is no melody in it. */
    constructor(name, onPiece, onError) {
      this.onPiece = onPiece;
      this.onError = onError;
      this.select = make("select", { class: "tvae-select", "aria-label": `Part of the file for melody ${name}` });
      this.select.addEventListener("change", () => this.#read(Number(this.select.value), null));
      this.view = svg("svg", {
        class: "tvae-strip",
        role: "slider",
        tabindex: 0,
        "aria-label": `Which eight bars of the part for melody ${name}`,
        "aria-description": "Arrow keys move by a bar, page keys by eight.",
        "aria-valuemin": 1,
      });
      this.words = make("p", { class: "tvae-small" });
      this.root = make("div", { class: "tvae-file", hidden: "" }, this.select, this.view, this.words);
      this.view.addEventListener("pointerdown", (event) => this.#press(event));
      this.view.addEventListener(
        "pointermove",
        (event) => this.#grip !== null && this.#move(this.#barAt(event) - this.#grip),
      );
      this.view.addEventListener("pointerup", () => this.#release());
      this.view.addEventListener("pointercancel", () => this.#release());
      this.view.addEventListener("keydown", (event) => this.#key(event));
    }

    show({ file = null }) {
      this.#file = file;
      this.root.hidden = !file;
      if (!file) return;
      this.#start = file.start;
      const said = ({ name, instrument, notes, low, high }) =>
        [name, instrument, `${notes} notes`, `${melody.pitch_name(low)}–${melody.pitch_name(high)}`]
          .filter(Boolean)
          .join(", ");
      this.select.replaceChildren(...file.parts.map((part, value) => make("option", { value }, said(part))));
      this.select.value = file.part;
      this.#draw();
    }

    get #last() {
      return Math.max(0, this.#file.bars - BARS);
    }

    #draw() {
      const { line, bars } = this.#file,
        steps = Math.max(bars, BARS) * STEPS;
      const [low, high] = line.reduce(
        ([low, high], { pitch }) => [Math.min(low, pitch), Math.max(high, pitch)],
        [127, 0],
      );
      const y = (pitch) => percent((0.1 + 0.8 * (high - pitch)) / Math.max(1, high - low + 1));
      const notes = line.map(({ pitch, onset, end }) =>
        svg("rect", {
          class: "tvae-note",
          x: percent(onset / steps),
          width: percent((end - onset) / steps),
          y: y(pitch),
          height: 3,
        }),
      );
      this.window = svg("rect", {
        class: "tvae-window",
        y: 1,
        height: "calc(100% - 2px)",
        rx: 3,
        width: percent((BARS * STEPS) / steps),
      });
      this.view.replaceChildren(
        svg("rect", { class: "tvae-paper", width: "100%", height: "100%" }),
        ...notes,
        this.window,
      );
      this.view.setAttribute("aria-valuemax", this.#last + 1);
      this.#place();
    }

    #place() {
      const first = this.#start + 1,
        { bars } = this.#file;
      this.window.setAttribute("x", percent(this.#start / Math.max(bars, BARS)));
      this.view.setAttribute("aria-valuenow", first);
      const words = `bars ${first}–${first + BARS - 1} of ${bars}`;
      this.view.setAttribute("aria-valuetext", words);
      this.words.textContent = words;
    }

    #barAt({ clientX }) {
      const { left, width } = this.view.getBoundingClientRect();
      return ((clientX - left) / width) * Math.max(this.#file.bars, BARS);
    }

    #press(event) {
      if (event.button) return;
      event.preventDefault();
      this.view.setPointerCapture(event.pointerId);
      this.view.focus({ preventScroll: true });
      const at = this.#barAt(event),
        inside = at >= this.#start && at < this.#start + BARS;
      this.#grip = inside ? at - this.#start : BARS / 2; // beside the window: its middle comes here
      this.#move(at - this.#grip);
    }

    #move(start) {
      this.#start = Math.min(this.#last, Math.max(0, Math.round(start)));
      this.#place();
    }

    #release() {
      if (this.#grip === null) return;
      this.#grip = null;
      this.#settle();
    }

    #settle() {
      if (this.#start !== this.#file.start) this.#read(this.#file.part, this.#start);
    }

    #key(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const by = {
        ArrowLeft: -1,
        ArrowDown: -1,
        ArrowRight: 1,
        ArrowUp: 1,
        PageDown: -BARS,
        PageUp: BARS,
        Home: -Infinity,
        End: Infinity,
      }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation(); // the page has its own idea of the arrow keys
      this.#move(this.#start + by);
      this.#settle();
    }

    #read(part, start) {
      try {
        this.onPiece(this.#file.read(part, start));
      } catch (error) {
        if (!(error instanceof TvaeError)) throw error;
        this.show({ file: this.#file }); // what was chosen before
        this.onError(error.message);
      }
    }
  }

  tvae.Strip = Strip;
})();
