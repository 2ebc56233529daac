/* tvae.Editor: a roll to draw a melody on, by mouse, finger and keys. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody,
    elements: { make, svg, percent, button },
    roll,
  } = tvae;
  const { BARS, STEPS, PIECE, LOWEST, HIGHEST } = melody;
  const numbers = [...Array(BARS).keys()]; // of bars, from 0

  const PITCHES = HIGHEST - LOWEST + 1;
  const BLACK = [1, 3, 6, 8, 10]; // keys of an octave
  const KEYS =
    "Arrow keys move, Enter puts a note or takes it away, " +
    "Shift with an arrow to the side changes its length, Escape ends.";

  class Editor {
    #tokens = new Uint8Array(PIECE);
    #cursor = { step: 0, pitch: HIGHEST };
    #length = 4; // steps of a note that is put without dragging: as long as the last one
    #drawn = null; // the note that is being dragged
    #taken = null; // the note that is pressed

    /** onChange(tokens): a note was put, changed or taken away. onLeave(): Escape. */
    constructor(name, onChange, onLeave) {
      this.onChange = onChange;
      this.onLeave = onLeave;
      this.ruler = make("div", { class: "tvae-ruler", "aria-hidden": "true" });
      this.roll = svg("svg", {
        class: "tvae-roll tvae-draw",
        role: "application",
        tabindex: 0,
        "aria-label": `Draw melody ${name}`,
        "aria-description": KEYS,
      });
      this.tints = svg("g");
      this.notes = svg("g");
      this.cursor = svg("rect", {
        class: "tvae-cursor",
        width: percent(1 / PIECE),
        height: percent(1 / PITCHES),
        rx: 1.5,
      });
      this.column = svg("rect", { class: "tvae-cross", width: percent(1 / PIECE), height: "100%" });
      this.row = svg("rect", { class: "tvae-cross", width: "100%", height: percent(1 / PITCHES) });
      this.playhead = svg("line", { class: "tvae-playhead", y1: 0, y2: "100%" });
      this.roll.append(
        ...this.#paper(),
        this.tints,
        ...this.#lines(),
        this.column,
        this.row,
        this.notes,
        this.cursor,
        this.playhead,
      );
      this.sheet = make("div", { class: "tvae-canvas" }, make("div", {}, this.ruler, this.roll));
      this.word = make("p", { class: "tvae-word", role: "status" });
      const turn = (way) => () =>
        this.sheet.scrollBy({ left: way * 0.75 * this.sheet.clientWidth, behavior: "smooth" });
      const turns = make(
        "div",
        { class: "tvae-turns" },
        button("‹ earlier bars", turn(-1)),
        button("later bars ›", turn(1)),
      );
      const help = make("p", { class: "tvae-small" }, `Drag to put a note, click on a note to take it away. ${KEYS}`);
      this.root = make("div", { class: "tvae-editor" }, this.sheet, turns, this.word, help);
      this.roll.addEventListener("pointerdown", (event) => this.#press(event));
      this.roll.addEventListener("pointermove", (event) => this.#drag(event));
      this.roll.addEventListener("pointerup", () => this.#release());
      this.roll.addEventListener("pointercancel", () => this.#cancel());
      this.roll.addEventListener("keydown", (event) => this.#key(event));
    }

    #paper() {
      const black = [...Array(PITCHES).keys()].filter((row) => BLACK.includes((HIGHEST - row) % 12));
      const stripe = (row) =>
        svg("rect", { class: "tvae-black", y: percent(row / PITCHES), width: "100%", height: percent(1 / PITCHES) });
      return [svg("rect", { class: "tvae-paper", width: "100%", height: "100%" }), ...black.map(stripe)];
    }

    #lines() {
      const beats = [...Array(PIECE / 4).keys()].map((beat) => {
        const x = percent((4 * beat) / PIECE);
        return svg("line", { class: (4 * beat) % STEPS ? "tvae-octave" : "tvae-line", x1: x, x2: x, y2: "100%" });
      });
      const octaves = [48, 60, 72, 84].flatMap((pitch) => {
        const y = percent((HIGHEST - pitch + 1) / PITCHES); // below C
        const label = (bar) => svg("text", { x: percent(bar / BARS), y, dx: 3, dy: -1 }, `C${pitch / 12 - 1}`);
        return [svg("line", { class: "tvae-octave", x2: "100%", y1: y, y2: y }), ...[0, 2, 4, 6].map(label)];
      });
      return [...beats, ...octaves];
    }

    show(tokens) {
      this.#tokens = tokens;
      this.#drawn = this.#taken = null;
      this.#draw();
    }

    /** The cursor goes to the first note, if there is one. */
    begin() {
      const [first] = melody.tokens_to_notes(this.#tokens);
      this.#cursor = { step: first?.onset ?? 0, pitch: first?.pitch ?? 67 }; // G4
      this.#draw();
    }

    /** The playhead goes to where the player is. */
    follow(step) {
      const x = percent(step / PIECE);
      this.playhead.setAttribute("x1", x);
      this.playhead.setAttribute("x2", x);
    }

    /** The notes as they are, with the one that is being dragged: a later note cuts the one before it. */
    #all() {
      const notes = melody.tokens_to_notes(this.#tokens);
      if (!this.#drawn) return notes;
      const others = notes.filter(({ onset }) => onset !== this.#drawn.onset);
      return melody.tokens_to_notes(melody.notes_to_tokens([...others, this.#drawn]));
    }

    #noteAt({ step, pitch }, reach = 0) {
      const near = (note) => note.onset <= step && step < note.end && Math.abs(note.pitch - pitch) <= reach;
      return melody.tokens_to_notes(this.#tokens).find(near);
    }

    #draw() {
      const notes = this.#all(),
        first = melody.earlier_equal(melody.notes_to_tokens(notes));
      this.ruler.replaceChildren(...numbers.map((bar) => make("span", {}, roll.barName(first, bar))));
      this.tints.replaceChildren(...roll.tinted(roll.tints(first)));
      this.notes.replaceChildren(
        ...roll.drawNotes(
          notes.map(({ pitch, onset, end }) => [pitch, onset, end]),
          LOWEST,
          HIGHEST,
        ),
      );
      const { step, pitch } = this.#cursor,
        here = notes.find(({ onset, end }) => onset <= step && step < end);
      for (const mark of [this.cursor, this.column]) mark.setAttribute("x", percent(step / PIECE));
      for (const mark of [this.cursor, this.row]) mark.setAttribute("y", percent((HIGHEST - pitch) / PITCHES));
      const what = !here ? "empty" : here.pitch === pitch ? "note" : `${melody.pitch_name(here.pitch)} sounds`;
      const place = `bar ${Math.floor(step / STEPS) + 1}, step ${(step % STEPS) + 1}`;
      const where = `${place}, ${melody.pitch_name(pitch)}, ${what}`;
      if (this.word.textContent !== where) this.word.textContent = where;
    }

    #change(notes) {
      this.#tokens = melody.notes_to_tokens(notes);
      this.#drawn = this.#taken = null;
      this.#draw();
      this.onChange(this.#tokens);
    }

    #put(note) {
      this.#drawn = note;
      this.#length = note.end - note.onset;
      this.#change(this.#all());
    }

    #take(note) {
      this.#change(melody.tokens_to_notes(this.#tokens).filter(({ onset }) => onset !== note.onset));
    }

    #place({ clientX, clientY }) {
      const { left, top, width, height } = this.roll.getBoundingClientRect();
      const within = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
      return {
        step: within((clientX - left) / width, PIECE),
        pitch: HIGHEST - within((clientY - top) / height, PITCHES),
      };
    }

    #press(event) {
      if (event.button || this.#drawn) return;
      this.roll.setPointerCapture(event.pointerId);
      this.roll.focus({ preventScroll: true });
      const at = (this.#cursor = this.#place(event));
      this.#taken = this.#noteAt(at, event.pointerType === "touch" ? 1 : 0) ?? null; // a finger is wide
      if (!this.#taken) {
        this.#drawn = { pitch: at.pitch, onset: at.step, end: Math.min(PIECE, at.step + this.#length) };
        tvae.sound.note(at.pitch);
      }
      this.#draw();
    }

    #drag(event) {
      if (!this.#drawn) return;
      const { step, pitch } = this.#place(event),
        { onset } = this.#drawn;
      if (step === this.#cursor.step && pitch === this.#cursor.pitch) return;
      const end = step === this.#cursor.step ? this.#drawn.end : Math.max(onset, step) + 1;
      if (pitch !== this.#drawn.pitch) tvae.sound.note(pitch);
      this.#cursor = { step, pitch };
      this.#drawn = { pitch, onset, end };
      this.#draw();
    }

    #release() {
      if (this.#drawn) this.#put(this.#drawn);
      else if (this.#taken) this.#take(this.#taken);
    }

    #cancel() {
      this.show(this.#tokens);
    }

    #key(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const { step, pitch } = this.#cursor,
        note = this.#noteAt(this.#cursor);
      const move = {
        ArrowLeft: [-1, 0],
        ArrowRight: [1, 0],
        ArrowUp: [0, 1],
        ArrowDown: [0, -1],
        Home: [-PIECE, 0],
        End: [PIECE, 0],
        PageUp: [0, 12],
        PageDown: [0, -12],
      }[event.key];
      if (move && event.shiftKey && move[0]) {
        if (note) this.#resize(note, note.end + Math.sign(move[0]));
      } else if (move) {
        this.#cursor = {
          step: Math.min(PIECE - 1, Math.max(0, step + move[0])),
          pitch: Math.min(HIGHEST, Math.max(LOWEST, pitch + move[1])),
        };
        this.#draw();
      } else if (event.key === "Enter" || event.key === " ") {
        if (note) this.#take(note);
        else this.#put({ pitch, onset: step, end: Math.min(PIECE, step + this.#length) });
        if (!note) tvae.sound.note(pitch);
      } else if (event.key === "Delete" || event.key === "Backspace") {
        if (note) this.#take(note);
      } else if (event.key === "Escape") {
        this.onLeave();
      } else return;
      event.preventDefault();
      event.stopPropagation();
      this.cursor.scrollIntoView({ block: "nearest", inline: "nearest" });
    }

    #resize({ pitch, onset, end: before }, end) {
      if (end <= onset || end > PIECE) return;
      // stays in the note
      if (this.#cursor.step === before - 1 || this.#cursor.step >= end) this.#cursor.step = end - 1;
      this.#put({ pitch, onset, end });
    }
  }

  tvae.Editor = Editor;
})();
