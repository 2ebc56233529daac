/* <tvae-playground data-folder="...">: two melodies, a switch for each bar, and what the model makes of them. Plain JavaScript.

   Needs <tvae-player> and the files that tvae/report/playground.py names in SCRIPTS, of which each has one part. The element has `ready` (a promise:
   the first result is shown) and `result` (its tokens, null before), and fires "tvae-result" whenever another one is shown.
   Titles come from files and links: they are put into the page as text, never as HTML. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  if (customElements.get("tvae-playground")) return;
  const { melody, melody: { BARS, STEPS, TvaeError }, data, engine, elements: { make, button }, pieces: { songs, silence } } = tvae;
  const { patch: { patched }, words: { sentence, limited, fileName }, links: { writeLink, readLink } } = tvae;
  const { Slot, Switches, AttentionMap, cards: { cards, summary, drawCard } } = tvae;

  const START = { // the paper's Fig. 5
    A: "Ode to Joy",
    B: "Mary Had a Little Lamb",
    patch: { sources: ["B", ...Array(BARS - 1).fill("A")], mix: 50, seed: 1 },
  };

  class TvaePlayground extends HTMLElement {
    #engine = null;
    #wanted = null; // what is to be computed next; only the last wish counts
    #computing = false;
    #found = null; // what is shown
    #codes = new WeakMap(); // piece -> a promise of its codes
    #again = new WeakMap(); // piece -> a promise of its reconstruction
    #saving = 0;
    #arrived;

    ready = new Promise((resolve) => (this.#arrived = resolve));

    get result() {
      return this.#found?.tokens ?? null;
    }

    connectedCallback() {
      if (this.slots) return;
      const titled = (title) => songs.find((song) => song.title === title) ?? songs[0];
      this.slots = {};
      for (const name of ["A", "B"]) {
        this.slots[name] = new Slot(name, titled(START[name]), (drawing) => this.#change(drawing ? "" : "anew"));
      }
      this.switches = new Switches(START.patch, (how) => this.#change(how));
      this.attention = new AttentionMap();
      this.#build();
      this.#restore();
      this.#want("");
      addEventListener("hashchange", () => this.#restore() && this.#want("")); // a link that is put into the address of this page
      this.#load();
    }

    #build() {
      this.alert = make("p", { class: "tvae-alert", role: "alert" });
      this.status = make("div", { class: "tvae-status" });
      this.player = make("tvae-player");
      this.said = make("p", { class: "tvae-unseen", role: "status" });
      this.playing = make("input", { type: "checkbox", checked: "" });
      this.copied = make("input", { class: "tvae-link", readonly: "", hidden: "", "aria-label": "The link" });
      this.copy = button("Copy link", () => this.#copy());
      this.uses = [button("Download MIDI", () => this.#download()), button("Use as A", () => this.#reuse())];
      for (const use of this.uses) use.setAttribute("aria-disabled", true); // until there is a result
      const actions = make("div", { class: "tvae-actions" }, this.uses[0], this.copy, this.uses[1],
        make("label", { class: "tvae-check" }, this.playing, "play on change"), this.copied);
      const { run, parameters } = data.model;
      this.about = make("p", { class: "tvae-small" },
        `Model ${run}, ${parameters.toLocaleString("en")} parameters; computed in your browser, nothing leaves this page.`);
      this.summary = make("p", { class: "tvae-summary" });
      this.cards = make("div", { class: "tvae-cards" }, ...cards({ patch: START.patch }).map(drawCard));
      const measures = make("section", { class: "tvae-measures", "aria-label": "Measures of the result" }, this.summary, this.cards);
      const result = make("section", { class: "tvae-result", "aria-label": "Result" },
        this.status, this.player, this.switches.root, actions, this.said);
      this.replaceChildren(this.alert, make("div", { class: "tvae-slots" }, this.slots.A.root, this.slots.B.root),
        result, measures, this.attention.root, this.about);
      for (const kind of ["dragover", "drop"]) this.addEventListener(kind, (event) => event.preventDefault()); // beside a slot: no other page
      this.#draw();
    }

    // --- the model

    async #load() {
      const progress = make("progress", { max: 1, value: 0, "aria-label": "Loading the model" });
      this.status.replaceChildren(make("span", {}, "Loading the model …"), progress);
      try {
        this.#engine = await engine.load(this.dataset.folder, (part) => (progress.value = part));
      } catch (error) {
        this.#fail(error.message, () => this.#load());
        return;
      }
      this.status.replaceChildren("Each switch says where its bar's code comes from: song A, song B, a mix of both, or the prior.");
      this.attention.offer(this.#engine.config);
      this.#compute();
    }

    #fail(words, again) {
      this.status.replaceChildren(make("span", { class: "tvae-alert", role: "alert" }, words), button("Try again", again));
    }

    #codesOf(piece) {
      if (!this.#codes.has(piece)) this.#codes.set(piece, this.#engine.encode(piece.tokens));
      return this.#codes.get(piece);
    }

    #againOf(piece) {
      if (!this.#again.has(piece)) {
        this.#again.set(piece, this.#codesOf(piece).then((codes) => this.#engine.generate(codes)).then(({ tokens }) => tokens));
      }
      return this.#again.get(piece);
    }

    /** One answer at a time, so that none comes late; of what was wished meanwhile only the last is computed. */
    async #compute() {
      if (this.#computing || !this.#engine) return;
      this.#computing = true;
      try {
        while (this.#wanted) {
          const { patch, pieces, how } = this.#wanted;
          this.#wanted = null;
          const [a, b] = await Promise.all([this.#codesOf(pieces.A), this.#codesOf(pieces.B)]);
          const answer = await this.#engine.generate(patched(patch, a, b));
          const again = { A: await this.#againOf(pieces.A), B: await this.#againOf(pieces.B) };
          this.#show({ patch, pieces, again, ...answer }, how);
        }
      } catch (error) {
        this.#fail(error.message, () => location.reload());
      }
      this.#computing = false;
    }

    // --- a change, and what it leads to

    /** how: "anew" plays from the bar before the first that changed, "on" goes on where it is, "" plays nothing. */
    #change(how) {
      this.alert.textContent = "";
      this.#want(how);
      clearTimeout(this.#saving);
      this.#saving = setTimeout(() => this.#save(), 250);
    }

    #want(how) {
      const { A, B } = this.slots;
      this.switches.show(this.switches.patch, A.piece.title, B.piece.title);
      this.copied.hidden = true;
      this.#wanted = { patch: this.switches.patch, pieces: { A: A.piece, B: B.piece }, how };
      this.#draw();
      this.#compute();
    }

    #show(found, how) {
      const before = this.#found?.tokens ?? silence.tokens;
      this.#found = { ...found, title: sentence(found.patch, found.pieces.A.title, found.pieces.B.title) };
      const { tokens, title, attention } = this.#found, { low, high } = this.#draw();
      for (const use of this.uses) use.removeAttribute("aria-disabled");
      this.said.textContent = title;
      this.summary.textContent = summary(found);
      this.cards.replaceChildren(...cards(found, low, high).map(drawCard));
      this.attention.show(tokens, attention);
      if (how && this.playing.checked) {
        if (how === "anew") {
          const changed = tokens.findIndex((token, step) => token !== before[step]);
          this.player.position = STEPS * Math.max(0, Math.floor(changed / STEPS) - 1);
        }
        this.player.play();
      }
      this.#arrived();
      this.dispatchEvent(new CustomEvent("tvae-result", { bubbles: true }));
    }

    /** The three rolls, over one range of pitches, so that high and low can be compared. */
    #draw() {
      const { A, B } = this.slots;
      const result = this.#found ?? { ...silence, title: "The result appears here" };
      const shown = [[A.player, A.piece, ""], [B.player, B.piece, ""], [this.player, { ...result, tempo: A.piece.tempo }, "result"]];
      const pieces = shown.map(([, { tokens, title, tempo }, role]) => melody.piece(tokens, { title, role, tempo }));
      const low = Math.min(...pieces.map((piece) => piece.low)), high = Math.max(...pieces.map((piece) => piece.high));
      shown.forEach(([player], k) => {
        const piece = { ...pieces[k], low, high };
        if (JSON.stringify(piece) !== JSON.stringify(player.piece)) player.change(piece);
      });
      return { low, high };
    }

    // --- what is done with the result

    #download() {
      if (!this.#found) return;
      const { tokens, title, pieces } = this.#found;
      const bytes = melody.write_midi(tokens, { tempo: pieces.A.tempo, name: title });
      const url = URL.createObjectURL(new Blob([bytes], { type: "audio/midi" }));
      make("a", { href: url, download: `${fileName(title)}.mid` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    }

    #reuse() {
      if (!this.#found) return;
      const { tokens, title } = this.#found;
      this.slots.A.set({ tokens, title: limited(title), tempo: this.slots.A.piece.tempo });
    }

    // --- links

    #save() {
      history.replaceState(history.state, "", writeLink(this.switches.patch, this.slots.A.piece, this.slots.B.piece));
    }

    async #copy() {
      this.#save();
      try {
        await navigator.clipboard.writeText(location.href);
        this.copy.textContent = "Link copied";
        setTimeout(() => (this.copy.textContent = "Copy link"), 2000);
      } catch { // not allowed here: to be copied by hand
        this.copied.hidden = false;
        this.copied.value = location.href;
        this.copied.select();
      }
    }

    /** The state of a link, where the address holds one. */
    #restore() {
      this.alert.textContent = "";
      let state = null;
      try {
        state = readLink(location.hash);
      } catch (error) {
        if (!(error instanceof TvaeError)) throw error;
        this.alert.textContent = error.message;
      }
      if (!state) return false;
      for (const name of ["A", "B"]) this.slots[name].begin(state[name]);
      this.switches.show(state.patch);
      return true;
    }
  }

  customElements.define("tvae-playground", TvaePlayground);
})();
