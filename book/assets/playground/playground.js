/* <tvae-playground data-folder="...">: two melodies, a switch for each bar, and what the model makes of them.

   Needs <tvae-player> and the files that tvae/report/playground.py names in SCRIPTS, of which each has one job; this
   one puts the parts together. The element has `ready` (a promise: the first result is shown) and `result` (its tokens,
   null before), and fires "tvae-result" whenever another one is shown.

   A *state* is {A, B: pieces, patch, model: its id, tempo: quarter notes a minute or null for A's, sound: {instrument,
   volume, loop}}. Titles come from files and links: they are put into the page as text, never as HTML. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  if (customElements.get("tvae-playground")) return;
  const {
    melody,
    melody: { STEPS, TvaeError },
    data,
    Engine,
    History,
    roll,
    sound,
  } = tvae;
  const {
    elements: { make, button, icon, UNDO, REDO, enable, heading, select },
    pieces: { silence, same },
  } = tvae;
  const {
    patch: { patched, known, hostOf },
    words: { sentence, limited },
    links: { writeLink, readLink },
  } = tvae;
  const {
    Slot,
    Switches,
    Transport,
    Candidates,
    Staff,
    Actions,
    AttentionMap,
    cards: { cards, summary },
    examples,
    heard: { heardPiece, different },
  } = tvae;

  const HINT =
    "Each switch says where its bar's code comes from: melody A, melody B, a mix of both, or the prior (chance).";

  class TvaePlayground extends HTMLElement {
    #engine = null;
    #history = new History(examples.start());
    #wanted = null; // what is to be computed next; only the last wish counts
    #computing = false;
    #found = null; // what is shown
    #heard = "result"; // of the result, the host's reconstruction, A and B
    #saving = 0;
    #arrived;

    ready = new Promise((resolve) => (this.#arrived = resolve));

    get result() {
      return this.#found?.tokens ?? null;
    }

    get #state() {
      return this.#history.state;
    }

    get #tempo() {
      return this.#state.tempo ?? this.#state.A.tempo;
    }

    connectedCallback() {
      if (this.slots) return;
      this.#engine = Engine.of(this.dataset.folder);
      this.#make();
      this.#build();
      this.#restore();
      this.#follow("");
      // a link that is put into the address of this page
      addEventListener("hashchange", () => this.#restore() && this.#follow(""));
    }

    // --- the page

    #make() {
      const { folder } = this.dataset,
        tempo = () => this.#tempo;
      this.slots = {};
      for (const name of ["A", "B"]) {
        this.slots[name] = new Slot(
          name,
          folder,
          (piece, playing) => this.#commit({ [name]: piece }, playing ? "anew" : ""),
          tempo,
        );
      }
      this.switches = new Switches(
        (patch, how, kind) => this.#commit({ patch }, how, kind),
        () => this.candidates.open(this.#state),
      );
      this.candidates = new Candidates(
        (patch) => this.#commit({ patch }, "anew"),
        (state, patch) => this.#tokens({ ...state, patch }),
      );
      this.transport = new Transport({
        onHear: (heard) => this.#hear(heard),
        onSound: (change, kind) => this.#commit({ sound: { ...this.#state.sound, ...change } }, "on", kind),
        onTempo: (tempo) => this.#commit({ tempo }, "on", "tempo"),
        onPlaying: (on) => on || this.player.pause(),
      });
      this.attention = new AttentionMap();
      this.models = select(
        "Model",
        data.models.map(({ id, label }) => [id, label]),
        (model) => this.#commit({ model }, "anew"),
      );
      this.examples = make(
        "div",
        { class: "tvae-examples", role: "group", "aria-label": "Things to try" },
        ...examples.offered.map((example) => button(example.name, () => this.#try(example), { title: example.words })),
      );
      this.undo = button(icon(UNDO), () => this.#travel("undo"), {
        "aria-label": "Undo",
        title: "Undo (Ctrl+Z)",
        class: "tvae-button tvae-icon",
      });
      this.redo = button(icon(REDO), () => this.#travel("redo"), {
        "aria-label": "Redo",
        title: "Redo (Ctrl+Y)",
        class: "tvae-button tvae-icon",
      });
      this.reset = button("Reset", () => this.#commit(examples.start(), "anew"), {
        title: "Back to how it began; Undo brings back what was",
      });
    }

    #build() {
      this.alert = make("p", { class: "tvae-alert", role: "alert" });
      this.lesson = make("p", { class: "tvae-lesson", role: "status" });
      this.status = make("div", { class: "tvae-status" });
      this.player = make("tvae-player");
      this.staff = new Staff("the result", this.dataset.folder, this.player);
      this.actions = new Actions({
        result: () => this.#found && { ...this.#found, tempo: this.#tempo },
        heard: () => this.player.piece,
        link: () => this.#save(),
        onReuse: ({ tokens, title, tempo }) => this.#commit({ A: { tokens, title: limited(title), tempo } }, "anew"),
        more: [this.staff.button],
      });
      this.legend = make("p", { class: "tvae-small tvae-legend" });
      this.said = make("p", { class: "tvae-unseen", role: "status" });
      this.about = make("p", { class: "tvae-small tvae-about" });
      this.summary = make("p", { class: "tvae-summary" });
      this.cards = make("div", { class: "tvae-cards" }, ...cards(null));
      this.sheet = make(
        "section",
        { class: "tvae-result", "aria-label": "Result" },
        heading("Result", true),
        this.status,
        this.player,
        this.switches.root,
        this.staff.root,
        this.legend,
        this.said,
      );
      const bar = make(
        "div",
        { class: "tvae-bar-top" },
        make("label", { class: "tvae-check" }, "model", this.models),
        make("span", { class: "tvae-tools" }, this.undo, this.redo, this.reset),
      );
      this.replaceChildren(
        bar,
        heading("Things to try", true),
        this.examples,
        this.lesson,
        this.alert,
        make("div", { class: "tvae-slots" }, this.slots.A.root, this.slots.B.root),
        this.sheet,
        this.candidates.root,
        this.transport.root,
        this.actions.root,
        make(
          "section",
          { class: "tvae-measures", "aria-label": "Measures of the result" },
          heading("What became of the song"),
          this.summary,
          this.cards,
        ),
        this.attention.root,
        this.about,
      );
      this.addEventListener("keydown", (event) => this.#key(event));
      // beside a slot: no other page
      for (const kind of ["dragover", "drop"]) this.addEventListener(kind, (event) => event.preventDefault());
    }

    #key(event) {
      if (
        !(event.ctrlKey || event.metaKey) ||
        event.altKey ||
        event.target.matches("input:not([type=range], [type=radio], [type=checkbox])")
      )
        return;
      const key = event.key.toLowerCase();
      if (key === "z" && !event.shiftKey) this.#travel("undo");
      else if (key === "y" || key === "z") this.#travel("redo");
      else return;
      event.preventDefault();
    }

    // --- a change, and what it leads to

    /** how: "anew" plays from the bar before the first that changed, "on" goes on where it is, "" plays nothing. */
    #commit(change, how, kind = "") {
      this.lesson.textContent = "";
      this.#history.commit({ ...this.#state, ...change }, kind);
      this.#follow(how);
      this.#later();
    }

    #try(example) {
      this.#commit(examples.applied(this.#state, example), "anew");
      this.lesson.textContent = example.words;
    }

    #travel(way) {
      if (!this.#history[way]()) return;
      this.lesson.textContent = "";
      this.#follow("on");
      this.#later();
    }

    #later() {
      clearTimeout(this.#saving);
      this.#saving = setTimeout(() => this.#save(), 250);
    }

    /** The page shows the state, and its result is asked for. */
    #follow(how) {
      const state = this.#state,
        { A, B, patch, model } = state;
      this.alert.textContent = "";
      this.actions.copied.hidden = true;
      this.slots.A.show(A);
      this.slots.B.show(B);
      this.switches.show(patch, A.title, B.title);
      this.candidates.show(state);
      this.models.value = model;
      sound.instrument = state.sound.instrument;
      sound.volume = state.sound.volume;
      this.player.loop = state.sound.loop;
      enable(this.undo, this.#history.canUndo);
      enable(this.redo, this.#history.canRedo);
      this.#draw();
      this.#wanted = { state, how };
      this.#compute();
    }

    // --- the model

    /** A promise of the model of a state; while it loads the page says how far it is. */
    async #model({ model }) {
      const entry = data.models.find(({ id }) => id === model);
      const progress = make("progress", { max: 1, value: 0, "aria-label": "Loading the model" });
      const loading = make("span", {}, `Loading the model: ${entry.label} …`);
      const slow = setTimeout(() => this.status.replaceChildren(loading, progress), this.#found ? 100 : 0);
      try {
        return await this.#engine.load(entry, (part) => (progress.value = part));
      } finally {
        clearTimeout(slow);
      }
    }

    /** A promise of the tokens of a state; it says nothing in the place of the result. */
    async #tokens(state) {
      const model = await this.#engine.load(data.models.find(({ id }) => id === state.model));
      return (await this.#answer(state, model)).tokens;
    }

    /** A promise of what a model makes of a state: {tokens, attention}. */
    async #answer(state, model) {
      const [a, b] = await Promise.all([model.encode(state.A.tokens), model.encode(state.B.tokens)]);
      const codes = patched(state.patch, a, b),
        { song } = state.patch,
        { prior } = data.models.find(({ id }) => id === model.id);
      return model.generate(song && prior ? await model.fill(codes, known(state.patch), song) : codes);
    }

    /** One answer at a time, so that none comes late; of what was wished meanwhile only the last is computed. */
    async #compute() {
      if (this.#computing) return;
      this.#computing = true;
      this.sheet.setAttribute("aria-busy", true);
      try {
        while (this.#wanted) {
          const { state, how } = this.#wanted,
            { A, B, patch } = state;
          this.#wanted = null;
          const model = await this.#model(state);
          if (this.#wanted) continue; // while it was loading something else was wished
          const answer = await this.#answer(state, model);
          const again = { A: await model.again(A.tokens), B: await model.again(B.tokens) };
          this.#show({ state, patch, pieces: { A, B }, again, model, ...answer }, how);
        }
      } catch (error) {
        this.#wanted = null;
        this.status.replaceChildren(
          make("span", { class: "tvae-alert", role: "alert" }, error.message),
          button("Try again", () => this.#follow("")),
        );
      }
      this.#computing = false;
      this.sheet.setAttribute("aria-busy", false);
    }

    #show(found, how) {
      const before = this.#found,
        {
          patch,
          pieces: { A, B },
          model,
        } = found;
      this.#found = { ...found, title: sentence(patch, A.title, B.title) };
      const { tokens, title, attention } = this.#found;
      this.#draw();
      this.actions.allow(true);
      this.status.replaceChildren();
      this.said.textContent = title;
      this.summary.textContent = summary(found);
      this.cards.replaceChildren(...cards(found));
      if (before?.model !== model) this.#introduce(model);
      this.attention.show(tokens, attention);
      this.#play(before?.tokens ?? silence.tokens, tokens, how);
      this.#arrived();
      this.dispatchEvent(new CustomEvent("tvae-result", { bubbles: true }));
    }

    #introduce({ id, config }) {
      const { about, parameters, finder, prior } = data.models.find((entry) => entry.id === id);
      this.switches.song.hidden = !prior; // there is none to draw songs from
      this.attention.offer(config, finder);
      this.about.textContent =
        `Model ${id}, ${about}, ${parameters.toLocaleString("en")} parameters; ` +
        "computed in your browser, nothing leaves this page.";
    }

    #play(before, tokens, how) {
      if (!how || !this.transport.plays.checked || (how === "on" && same(before, tokens))) return;
      if (how === "anew") {
        const changed = tokens.findIndex((token, step) => token !== before[step]);
        this.player.position = STEPS * Math.max(0, Math.floor(changed / STEPS) - 1);
      }
      this.player.play();
    }

    // --- the rolls

    /** Something else is heard in the place of the result, in time. */
    #hear(heard) {
      this.#heard = heard;
      this.#draw();
      if (!this.player.playing) this.player.play();
    }

    /** The three rolls, over one range of pitches, so that high and low can be compared, with the host's tints. */
    #draw() {
      const { A, B, patch, sound: settings } = this.#state,
        tempo = this.#tempo,
        host = hostOf(this.#found?.patch ?? patch) ?? "A";
      const shown = heardPiece(this.#found, this.#heard),
        like = melody.earlier_equal(this.#state[host].tokens);
      const drawn = [
        [this.slots.A.player, A, { title: A.title, tempo: this.#state.tempo ?? A.tempo }],
        [this.slots.B.player, B, { title: B.title, tempo: this.#state.tempo ?? B.tempo }],
        [this.player, shown, { title: shown.title, role: shown.role, tempo }],
      ].map(([player, { tokens }, about]) => [player, melody.piece(tokens, about)]);
      const other = shown.ghost ? melody.piece(shown.ghost).notes : [],
        own = drawn[2][1].notes;
      const ghost = different(other, own),
        changed = shown.ghost ? different(own, other) : [];
      const low = Math.min(...drawn.map(([, piece]) => piece.low), ...ghost.map(([pitch]) => pitch - 1));
      const high = Math.max(...drawn.map(([, piece]) => piece.high), ...ghost.map(([pitch]) => pitch + 1));
      for (const [player, piece] of drawn) {
        const beside = player === this.player ? { ghost, changed: own.map((note) => changed.includes(note)) } : {};
        const whole = { ...piece, tints: roll.tints(piece.repeats, like), low, high, ...beside };
        if (JSON.stringify(whole) !== JSON.stringify(player.piece)) player.change(whole);
      }
      for (const { staff } of [this.slots.A, this.slots.B, this]) staff.show();
      const them = this.#heard === "result" ? `${host} reconstructed` : "the result";
      const outlined = `In the roll, outlined: what ${them} does not have; dashed: what it has instead.`;
      this.legend.textContent = `${HINT} ${shown.ghost ? outlined : ""}`;
      this.transport.show(settings, tempo, this.#heard, host);
    }

    // --- links

    #save() {
      history.replaceState(history.state, "", writeLink(this.#state, data.models[0].id));
    }

    /** The state of a link, where the address holds one. */
    #restore() {
      let [link, words] = [null, ""];
      try {
        link = readLink(location.hash);
      } catch (error) {
        if (!(error instanceof TvaeError)) throw error;
        words = error.message;
      }
      if (link) {
        const { model, ...rest } = link;
        const known = data.models.some(({ id }) => id === model);
        if (model && !known)
          words = `This link was made with the model ${model}, which is not here; you hear another one.`;
        this.#history.begin({ ...examples.start(), ...rest, ...(known ? { model } : {}) });
      }
      queueMicrotask(() => (this.alert.textContent = words)); // after `#follow`, which clears what was said before
      return link !== null;
    }
  }

  customElements.define("tvae-playground", TvaePlayground);
})();
