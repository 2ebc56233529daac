/* tvae.Slot: one of the two melodies, and how another one gets there. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { melody: { TvaeError }, data, elements: { make, button, icon, UNDO, REDO }, Editor } = tvae;
  const { pieces: { silence, songs, same, readFile }, words: { limited } } = tvae;

  class Slot {
    #past = [];
    #future = [];
    #found = null; // the piece that the drawing began with
    #asked = 0; // of the files that were dropped or chosen the last one counts

    /** onChange(drawing): there is another piece. */
    constructor(name, piece, onChange) {
      this.name = name;
      this.piece = piece;
      this.onChange = onChange;
      this.own = make("option", { value: "", hidden: "" }); // stands for a piece that is not in the list
      this.select = make("select", { class: "tvae-select", "aria-label": `Melody ${name}` }, this.own, ...this.#groups());
      this.select.addEventListener("change", () => this.set(songs[this.select.value]));
      const file = make("input", { type: "file", accept: ".mid,.midi,audio/midi,audio/x-midi", hidden: "" });
      file.addEventListener("change", () => this.#open(file.files).then(() => (file.value = "")));
      this.drawing = button("Draw", () => (this.editor.root.isConnected ? this.#leave() : this.draw(true)), { "aria-pressed": "false" });
      this.undo = button(icon(UNDO), () => this.#travel(this.#past, this.#future), { "aria-label": `Undo in ${name}`, title: "Undo", class: "tvae-button tvae-icon" });
      this.redo = button(icon(REDO), () => this.#travel(this.#future, this.#past), { "aria-label": `Redo in ${name}`, title: "Redo", class: "tvae-button tvae-icon" });
      const tools = make("div", { class: "tvae-tools" },
        button("Open MIDI file…", () => file.click()), this.drawing, button("Clear", () => this.set(silence)),
        make("span", {}, this.undo, this.redo));
      this.player = make("tvae-player");
      this.alert = make("p", { class: "tvae-alert", role: "alert" });
      this.notices = make("ul", { class: "tvae-notices", role: "status" });
      this.editor = new Editor(name, (tokens) => this.#edit(tokens), () => this.#leave());
      this.root = make("section", { class: "tvae-slot", "aria-label": `Melody ${name}`, "data-name": name },
        make("div", { class: "tvae-choice" }, make("span", { class: "tvae-letter", "aria-hidden": "true" }, name), this.select,
          button("Random", () => this.#random(), { title: "A test piece, which the model has not seen" })),
        tools, file, this.alert, this.player, this.notices);
      this.root.addEventListener("keydown", (event) => this.#key(event));
      this.#takeDrops();
      this.#show();
    }

    #groups() {
      let number = 0;
      return data.songs.map(({ group, items }) =>
        make("optgroup", { label: group }, ...items.map(({ title }) => make("option", { value: number++ }, title))));
    }

    /** Another piece; the former one can be had back. */
    set(piece, notices = []) {
      this.#past.push(this.piece);
      this.#future = [];
      this.#replace(piece, notices);
    }

    /** A piece to begin with: nothing is before it. */
    begin(piece) {
      this.#past = [];
      this.#future = [];
      this.piece = piece;
      this.draw(false);
      this.#tell();
      this.#show();
    }

    #replace(piece, notices = []) {
      this.piece = piece;
      this.#asked += 1; // a file that is still being read comes too late
      this.#tell("", notices);
      this.#show();
      this.onChange(this.editor.root.isConnected);
    }

    #travel(from, to) {
      if (!from.length) return;
      to.push(this.piece);
      this.#replace(from.pop());
    }

    #show() {
      const number = songs.findIndex(({ title, tokens }) => title === this.piece.title && same(tokens, this.piece.tokens));
      this.own.textContent = this.piece.title;
      this.select.value = number < 0 ? "" : number;
      for (const [step, pieces] of [[this.undo, this.#past], [this.redo, this.#future]]) {
        step.setAttribute("aria-disabled", pieces.length === 0); // and not disabled, which would take the focus away
      }
      this.editor.show(this.piece.tokens);
    }

    #tell(alert = "", notices = []) {
      this.alert.textContent = alert;
      this.notices.replaceChildren(...notices.map((notice) => make("li", {}, notice)));
    }

    #random() {
      const { items } = data.songs.at(-1), first = songs.length - items.length;
      this.set(songs[first + Math.floor(Math.random() * items.length)]);
    }

    async #open(files) {
      if (!files.length) return;
      const asked = (this.#asked += 1);
      try {
        const [piece, notices] = await readFile(files[0]);
        if (files.length > 1) notices.unshift(`Of ${files.length} files the first was read.`);
        if (asked === this.#asked) this.set(piece, notices);
      } catch (error) {
        if (!(error instanceof TvaeError)) throw error;
        if (asked === this.#asked) this.#tell(error.message); // and the former piece stays
      }
    }

    /** The whole slot takes a file that is dropped on it. */
    #takeDrops() {
      let inside = 0; // the slot's elements are left and entered one by one
      const show = (change) => this.root.toggleAttribute("data-over", (inside = change) > 0);
      const withFile = (act) => (event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        act(event);
      };
      this.root.dataset.drop = `Drop a MIDI file here as ${this.name}`;
      this.root.addEventListener("dragenter", withFile(() => show(inside + 1)));
      this.root.addEventListener("dragleave", withFile(() => show(inside - 1)));
      this.root.addEventListener("dragover", withFile((event) => (event.dataTransfer.dropEffect = "copy")));
      this.root.addEventListener("drop", withFile((event) => (show(0), this.#open(event.dataTransfer.files))));
    }

    draw(on) {
      if (on === this.editor.root.isConnected) return;
      this.drawing.setAttribute("aria-pressed", on);
      this.root.toggleAttribute("data-drawing", on);
      if (!on) {
        this.editor.root.remove();
        return;
      }
      this.#found = this.piece;
      this.player.after(this.editor.root);
      this.editor.begin();
      const follow = () => {
        this.editor.follow(this.player.position);
        if (this.editor.root.isConnected) requestAnimationFrame(follow);
      };
      follow();
    }

    #leave() {
      this.draw(false);
      this.drawing.focus();
      if (this.piece !== this.#found) this.onChange(false); // while it was drawn nothing played
    }

    #edit(tokens) {
      const { title, tempo } = this.piece;
      const own = title === silence.title || title.endsWith(", edited");
      this.set({ tokens, title: own ? title : limited(`${title}, edited`), tempo });
    }

    #key(event) {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key === "z" && !event.shiftKey) this.#travel(this.#past, this.#future);
      else if (key === "y" || key === "z") this.#travel(this.#future, this.#past);
      else return;
      event.preventDefault();
    }
  }

  tvae.Slot = Slot;
})();
