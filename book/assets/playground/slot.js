/* tvae.Slot: one of the two melodies, and how another one gets there: from the list, a file, by drawing or by playing
   it. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody: { TvaeError },
    elements: { make, button, heading },
    Editor,
    Chooser,
    Strip,
    Recorder,
    Staff,
  } = tvae;
  const {
    pieces: { silence, random, readFile },
    words: { limited },
  } = tvae;

  class Slot {
    #found = null; // the piece that the drawing began with
    #asked = 0; // of the files that were dropped or chosen the last one counts

    /** onPiece(piece, playing): another melody is wanted; while it is drawn it is not to be played. tempo(): that of
        the clicks. */
    constructor(name, folder, onPiece, tempo) {
      this.name = name;
      this.onPiece = onPiece;
      this.chooser = new Chooser(name, folder, (song) => this.#set(song));
      const file = make("input", { type: "file", accept: ".mid,.midi,audio/midi,audio/x-midi", hidden: "" });
      file.addEventListener("change", () => this.#open(file.files).then(() => (file.value = "")));
      this.drawing = button("Edit notes", () => this.#toggle(), { "aria-pressed": "false" });
      this.recorder = new Recorder(name, tempo, (tokens) =>
        this.#set({ tokens, title: "Played by me", tempo: tempo() }),
      );
      const more = button("⋯", () => more.setAttribute("aria-expanded", this.root.toggleAttribute("data-open")), {
        class: "tvae-button tvae-more",
        "aria-expanded": "false",
        "aria-label": `Other ways to melody ${name}`,
        title: "File, notes, keyboard",
      });
      this.player = make("tvae-player");
      this.staff = new Staff(`melody ${name}`, folder, this.player);
      const tools = make(
        "div",
        { class: "tvae-tools" },
        button("Open MIDI…", () => file.click(), { title: "A MIDI file of yours; it stays here" }),
        this.drawing,
        this.recorder.button,
        button("Clear", () => this.#set(silence)),
        this.staff.button,
      );
      this.alert = make("p", { class: "tvae-alert", role: "alert" });
      this.notices = make("ul", { class: "tvae-notices", role: "status" });
      this.editor = new Editor(
        name,
        (tokens) => this.#edit(tokens),
        () => this.#leave(),
      );
      this.strip = new Strip(
        name,
        (piece) => this.#set(piece),
        (words) => this.#say(words),
      );
      this.root = make(
        "section",
        { class: "tvae-slot", "aria-label": `Melody ${name}`, "data-name": name },
        heading(`Melody ${name}`, true),
        make(
          "div",
          { class: "tvae-choice" },
          make("span", { class: "tvae-letter", "aria-hidden": "true" }, name),
          this.chooser.root,
          button("Random", () => this.#set(random()), { title: "A fiddle tune that no model here was trained on" }),
          more,
        ),
        this.player,
        this.staff.root,
        tools,
        file,
        this.recorder.root,
        this.alert,
        this.strip.root,
        this.notices,
      );
      this.#takeDrops();
    }

    /** A piece that is in this slot now. */
    show(piece) {
      if (this.piece === piece) return;
      this.piece = piece;
      this.#asked += 1; // a file that is still being read comes too late
      this.#say("");
      this.notices.replaceChildren(...(piece.notices ?? []).map((notice) => make("li", {}, notice)));
      this.chooser.show(piece.title);
      this.strip.show(piece);
      this.editor.show(piece.tokens);
    }

    get isDrawn() {
      return this.editor.root.isConnected;
    }

    #set(piece) {
      this.onPiece(piece, !this.isDrawn);
    }

    #say(words) {
      this.alert.textContent = words;
    }

    async #open(files) {
      if (!files.length) return;
      const asked = (this.#asked += 1);
      try {
        const piece = await readFile(files[0]);
        if (files.length > 1) piece.notices.unshift(`Of ${files.length} files the first was read.`);
        if (asked === this.#asked) this.#set(piece);
      } catch (error) {
        if (!(error instanceof TvaeError)) throw error;
        if (asked === this.#asked) this.#say(error.message); // and the former piece stays
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
      this.root.addEventListener(
        "dragenter",
        withFile(() => show(inside + 1)),
      );
      this.root.addEventListener(
        "dragleave",
        withFile(() => show(inside - 1)),
      );
      this.root.addEventListener(
        "dragover",
        withFile((event) => (event.dataTransfer.dropEffect = "copy")),
      );
      this.root.addEventListener(
        "drop",
        withFile((event) => (show(0), this.#open(event.dataTransfer.files))),
      );
    }

    #toggle() {
      if (this.isDrawn) {
        this.#leave();
        return;
      }
      this.#found = this.piece;
      this.#drawing(true);
      this.player.after(this.editor.root);
      this.editor.begin();
      const follow = () => {
        this.editor.follow(this.player.position);
        if (this.isDrawn) requestAnimationFrame(follow);
      };
      follow();
    }

    #drawing(on) {
      this.drawing.setAttribute("aria-pressed", on);
      this.root.toggleAttribute("data-drawing", on);
    }

    #leave() {
      this.#drawing(false);
      this.editor.root.remove();
      this.drawing.focus();
      if (this.piece !== this.#found) this.onPiece(this.piece, true); // while it was drawn nothing played
    }

    #edit(tokens) {
      const { title, tempo } = this.piece;
      const own = title === silence.title || title.endsWith(", edited");
      this.#set({ tokens, title: own ? title : limited(`${title}, edited`), tempo });
    }
  }

  tvae.Slot = Slot;
})();
