/* <tvae-playground data-folder="...">: two melodies, a switch for each bar, and what the model makes of them. Plain JavaScript.

   Needs <tvae-player> and, from data-folder, tvae.melody, tvae.transfer, tvae.data and tvae.engine. The element has `ready` (a promise:
   the first result is shown) and `result` (its tokens, null before), and fires "tvae-result" whenever another one is shown.

   A and B are the melodies in the two slots. A *patch* is what the switches say: {sources: of each bar "A", "B", "mix" or "prior",
   mix: per cent of B, seed: of the draw from the prior}. Of A and B, the *host* is who gives more codes and the other one the donor.
   Titles come from files and links: they are put into the page as text, never as HTML. */
customElements.whenDefined("tvae-player").then(() => {
  "use strict";
  if (customElements.get("tvae-playground")) return;
  const { melody, transfer, data, engine } = globalThis.tvae;
  const { BARS, STEPS, PIECE, SILENCE, LOWEST, HIGHEST, TvaeError } = melody;

  const SOURCES = ["A", "B", "mix", "prior"];
  const START = { // the paper's Fig. 5
    A: "Ode to Joy",
    B: "Mary Had a Little Lamb",
    patch: { sources: ["B", ...Array(BARS - 1).fill("A")], mix: 50, seed: 1 },
  };
  const LONGEST_TITLE = 100, SLOWEST = 4, FASTEST = 1000; // quarter notes a minute that write_midi can write
  const numbers = [...Array(BARS).keys()]; // of bars, from 0

  // --- making elements

  function make(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function svg(name, attributes = {}, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function button(words, act, attributes = {}) {
    const node = make("button", { type: "button", class: "tvae-button", ...attributes }, words);
    node.addEventListener("click", act);
    return node;
  }

  const icon = (path) => svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: path }));
  const UNDO = "M9 5 4 10l5 5M4 10h10a6 6 0 0 1 0 12h-3", REDO = "m15 5 5 5-5 5M20 10H10a6 6 0 0 0 0 12h3";
  const percent = (part) => `${+(100 * part).toFixed(3)}%`;

  // --- words

  /** [1, 2, 3, 5] -> "bars 1–3 and 5" */
  function barsInWords(bars) {
    const runs = [];
    for (const bar of bars) {
      if (runs.length && bar === runs.at(-1)[1] + 1) runs.at(-1)[1] = bar;
      else runs.push([bar, bar]);
    }
    return `${bars.length === 1 ? "bar" : "bars"} ${inWords(runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)))}`;
  }

  const inWords = (parts) => [parts.slice(0, -1).join(", "), ...parts.slice(-1)].filter(Boolean).join(" and ");
  const barsFrom = (patch, source) => numbers.filter((bar) => patch.sources[bar] === source).map((bar) => bar + 1);

  /** "A", "B", or null where no code is one song's own. */
  function hostOf(patch) {
    const ofA = barsFrom(patch, "A").length, ofB = barsFrom(patch, "B").length;
    return ofA + ofB === 0 ? null : ofA >= ofB ? "A" : "B";
  }

  /** What is heard. */
  function sentence(patch, A, B) {
    const { mix } = patch, host = hostOf(patch);
    const whole = {
      A: `${A}, reconstructed`,
      B: `${B}, reconstructed`,
      mix: mix === 50 ? `Half way between ${A} and ${B}` : `${mix} % of the way from ${A} to ${B}`,
      prior: `Draw ${patch.seed} from the prior`,
    };
    const part = { A: `from ${A}`, B: `from ${B}`, mix: `mixed (${mix} % B)`, prior: "from the prior" };
    const used = SOURCES.filter((source) => patch.sources.includes(source));
    if (used.length === 1) return whole[used[0]];
    const base = host ?? "mix"; // where no bar is A's or B's, some are mixed: all on prior is the case before
    const parts = used.filter((source) => source !== base).map((source) => `${barsInWords(barsFrom(patch, source))} ${part[source]}`);
    return `${{ A, B }[base] ?? whole.mix} with ${inWords(parts)}`;
  }

  const limited = (title) => ([...title].length > LONGEST_TITLE ? `${[...title].slice(0, LONGEST_TITLE - 1).join("")}…` : title);
  const fileName = (title) => limited(title).toLowerCase().replace(/[^\p{L}\p{N}_]+/gu, "-").replace(/^-|-$/g, "") || "melody";

  // --- pieces: {tokens, title, tempo}, never changed

  const songs = data.songs.flatMap(({ items }) => items)
    .map(({ title, text, tempo = 120 }) => ({ tokens: melody.from_text(text), title, tempo }));
  const same = (one, other) => one.every((token, step) => token === other[step]);

  /** A piece from a reader's file, and what was done to it on the way. Throws TvaeError. */
  async function readFile(file) {
    let bytes;
    try {
      bytes = new Uint8Array(await file.slice(0, melody.MOST_BYTES + 1).arrayBuffer());
    } catch { // a folder, or a file that is gone
      throw new TvaeError(`'${file.name}' cannot be read; choose a MIDI file.`);
    }
    const { tokens, tempo, notices } = melody.read_midi(bytes, file.name);
    const playable = Math.min(FASTEST, Math.max(SLOWEST, tempo));
    if (playable !== tempo) notices.push(`Its tempo of ${tempo} quarter notes a minute was set to ${playable}.`);
    const title = file.name.replace(/\.midi?$/i, "").trim() || file.name;
    return [{ tokens, title: limited(title), tempo: playable }, notices];
  }

  // --- codes: a Float32Array, one bar's after the other's

  /** Numbers in 0 ... 1, the same for a seed wherever it is opened (mulberry32). */
  function* uniform(seed) {
    for (;;) {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      yield ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    }
  }

  /** Codes drawn from the prior, a normal distribution (Box and Muller). */
  function draw(seed, length) {
    const random = uniform(seed), next = () => random.next().value;
    return Float32Array.from({ length }, () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()));
  }

  /** The codes that the switches ask for, of those of A and of B. */
  function patched({ sources, mix, seed }, a, b) {
    const prior = draw(seed, a.length), share = mix / 100;
    const value = {
      A: (k) => a[k],
      B: (k) => b[k],
      mix: (k) => (1 - share) * a[k] + share * b[k],
      prior: (k) => prior[k],
    };
    return a.map((_, k) => value[sources[Math.floor((k * BARS) / a.length)]](k));
  }

  // --- links: the whole state in the address, after #

  const LETTERS = { A: "A", B: "B", M: "mix", P: "prior" }; // of sources

  function writeLink(patch, A, B) {
    const letter = (source) => Object.keys(LETTERS).find((key) => LETTERS[key] === source);
    return `#${new URLSearchParams({
      patch: patch.sources.map(letter).join(""), mix: patch.mix, seed: patch.seed,
      a: melody.to_text(A.tokens), "a-title": A.title, "a-tempo": A.tempo,
      b: melody.to_text(B.tokens), "b-title": B.title, "b-tempo": B.tempo,
    })}`;
  }

  /** -> {patch, A, B}, or null where the address has another part of the page. Throws TvaeError. */
  function readLink(hash) {
    if (!hash.startsWith("#patch=")) return null;
    const fields = new URLSearchParams(hash.slice(1)), damaged = [];
    function field(name, pattern, fits = () => true) {
      const [value, ...more] = fields.getAll(name);
      if (value === undefined || more.length || !pattern.test(value) || !fits(value)) damaged.push(name);
      return value ?? "";
    }
    function piece(name) {
      const text = field(name, /^/, (text) => text.length === PIECE && valid(text));
      const title = field(`${name}-title`, /\S/, (title) => title === limited(title));
      const tempo = field(`${name}-tempo`, /^\d{1,4}(\.\d{1,2})?$/, (tempo) => tempo >= SLOWEST && tempo <= FASTEST);
      return { text, title, tempo: Number(tempo) };
    }
    function valid(text) {
      try {
        return melody.is_valid(melody.from_text(text));
      } catch (error) {
        if (error instanceof TvaeError) return false;
        throw error;
      }
    }
    const letters = field("patch", /^[ABMP]{8}$/), mix = field("mix", /^(\d\d?|100)$/);
    const seed = field("seed", /^\d{1,10}$/, (seed) => seed < 2 ** 32), pieces = [piece("a"), piece("b")];
    damaged.push(...[...fields.keys()].filter((name) => !["patch", "mix", "seed"].includes(name) && !/^[ab](-title|-tempo)?$/.test(name)));
    if (damaged.length) throw new TvaeError("This link is damaged, so nothing was taken from it; ask for it again.");
    const [A, B] = pieces.map(({ text, ...rest }) => ({ tokens: melody.from_text(text), ...rest }));
    return { patch: { sources: [...letters].map((letter) => LETTERS[letter]), mix: Number(mix), seed: Number(seed) }, A, B };
  }

  // --- players

  const silence = { tokens: new Uint8Array(PIECE).fill(SILENCE), title: "My melody", tempo: 120 };

  /** Give a player a piece and leave it at its step, playing or not, and the focus where it is. */
  function put(player, piece) {
    const { playing, position } = player;
    const focused = player.contains(document.activeElement) && document.activeElement.classList[0];
    player.piece = piece;
    player.position = position;
    if (playing) player.play();
    if (focused) player.querySelector(`.${focused}`).focus();
  }

  const ear = document.createElement("tvae-player"); // plays single notes, and is never seen
  let heard = 0;

  function sound(pitch) {
    ear.piece = { title: "", role: "", tempo: 120, notes: [[pitch, 0, 3]], repeats: numbers.map(() => -1), low: pitch, high: pitch };
    ear.play();
    clearTimeout(heard);
    heard = setTimeout(() => ear.pause(), 600);
  }

  // --- drawing a melody

  const PITCHES = HIGHEST - LOWEST + 1, BLACK = [1, 3, 6, 8, 10]; // keys of an octave
  const KEYS = "Arrow keys move, Enter puts a note or takes it away, Shift with an arrow to the side changes its length, Escape ends.";

  class Editor {
    #tokens = silence.tokens;
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
        class: "tvae-roll tvae-draw", role: "application", tabindex: 0,
        "aria-label": `Draw melody ${name}`, "aria-description": KEYS,
      });
      this.tints = svg("g");
      this.notes = svg("g");
      this.cursor = svg("rect", { class: "tvae-cursor", width: percent(1 / PIECE), height: percent(1 / PITCHES), rx: 1.5 });
      this.column = svg("rect", { class: "tvae-cross", width: percent(1 / PIECE), height: "100%" });
      this.row = svg("rect", { class: "tvae-cross", width: "100%", height: percent(1 / PITCHES) });
      this.playhead = svg("line", { class: "tvae-playhead", y1: 0, y2: "100%" });
      this.roll.append(...this.#paper(), this.tints, ...this.#lines(), this.column, this.row, this.notes, this.cursor, this.playhead);
      this.sheet = make("div", { class: "tvae-canvas" }, make("div", {}, this.ruler, this.roll));
      this.word = make("p", { class: "tvae-word", role: "status" });
      const turn = (way) => () => this.sheet.scrollBy({ left: way * 0.75 * this.sheet.clientWidth, behavior: "smooth" });
      const turns = make("div", { class: "tvae-turns" }, button("‹ earlier bars", turn(-1)), button("later bars ›", turn(1)));
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
      const stripe = (row) => svg("rect", { class: "tvae-black", y: percent(row / PITCHES), width: "100%", height: percent(1 / PITCHES) });
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
      const notes = this.#all(), first = melody.earlier_equal(melody.notes_to_tokens(notes));
      const groups = [...new Set(first.filter((bar) => bar >= 0))].sort((a, b) => a - b);
      this.ruler.replaceChildren(...numbers.map((bar) => make("span", {}, first[bar] < 0 ? `${bar + 1}` : `${bar + 1} = ${first[bar] + 1}`)));
      this.tints.replaceChildren(...numbers.flatMap((bar) => {
        const group = groups.indexOf(first[bar] < 0 ? bar : first[bar]) + 1;
        const place = { x: percent(bar / BARS), width: percent(1 / BARS), height: "100%" };
        return group ? [svg("rect", { class: `tvae-tint tvae-group-${group}`, ...place })] : [];
      }));
      this.notes.replaceChildren(...notes.map(({ pitch, onset, end }) => svg("rect", {
        class: "tvae-note", x: percent(onset / PIECE), y: percent((HIGHEST - pitch) / PITCHES),
        width: percent((end - onset - 0.2) / PIECE), height: percent(1 / PITCHES), rx: 1.5,
      })));
      const { step, pitch } = this.#cursor, here = notes.find(({ onset, end }) => onset <= step && step < end);
      for (const mark of [this.cursor, this.column]) mark.setAttribute("x", percent(step / PIECE));
      for (const mark of [this.cursor, this.row]) mark.setAttribute("y", percent((HIGHEST - pitch) / PITCHES));
      const what = !here ? "empty" : here.pitch === pitch ? "note" : `${melody.pitch_name(here.pitch)} sounds`;
      const where = `bar ${Math.floor(step / STEPS) + 1}, step ${(step % STEPS) + 1}, ${melody.pitch_name(pitch)}, ${what}`;
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
      return { step: within((clientX - left) / width, PIECE), pitch: HIGHEST - within((clientY - top) / height, PITCHES) };
    }

    #press(event) {
      if (event.button || this.#drawn) return;
      this.roll.setPointerCapture(event.pointerId);
      this.roll.focus({ preventScroll: true });
      const at = (this.#cursor = this.#place(event));
      this.#taken = this.#noteAt(at, event.pointerType === "touch" ? 1 : 0) ?? null; // a finger is wide
      if (!this.#taken) {
        this.#drawn = { pitch: at.pitch, onset: at.step, end: Math.min(PIECE, at.step + this.#length) };
        sound(at.pitch);
      }
      this.#draw();
    }

    #drag(event) {
      if (!this.#drawn) return;
      const { step, pitch } = this.#place(event), { onset } = this.#drawn;
      if (step === this.#cursor.step && pitch === this.#cursor.pitch) return;
      const end = step === this.#cursor.step ? this.#drawn.end : Math.max(onset, step) + 1;
      if (pitch !== this.#drawn.pitch) sound(pitch);
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
      const { step, pitch } = this.#cursor, note = this.#noteAt(this.#cursor);
      const move = {
        ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
        Home: [-PIECE, 0], End: [PIECE, 0], PageUp: [0, 12], PageDown: [0, -12],
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
        if (!note) sound(pitch);
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
      if (this.#cursor.step === before - 1 || this.#cursor.step >= end) this.#cursor.step = end - 1; // stays in the note
      this.#put({ pitch, onset, end });
    }
  }

  // --- a slot: one of the two melodies

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

  // --- the switches

  class Switches {
    /** onChange(how): "anew" for a switch, "on" for the slider, under which the music goes on. */
    constructor(patch, onChange) {
      this.onChange = onChange;
      const head = (source) => button(`all ${source}`, () => this.#all(source), { "data-source": source });
      this.heads = make("div", { class: "tvae-heads", role: "group", "aria-label": "All bars" }, ...SOURCES.map(head));
      this.columns = numbers.map((bar) => {
        const dot = (source) => {
          const attributes = { type: "radio", name: `tvae-bar-${bar + 1}`, value: source, "aria-label": `bar ${bar + 1} from ${source}` };
          const input = make("input", { class: "tvae-dot", ...attributes });
          input.addEventListener("change", () => this.#turn({ sources: this.patch.sources.with(bar, source) }));
          return input;
        };
        return make("div", { class: "tvae-column", role: "radiogroup", "aria-label": `bar ${bar + 1}` }, ...SOURCES.map(dot));
      });
      this.names = { A: make("span", { class: "tvae-name" }), B: make("span", { class: "tvae-name" }) };
      this.slider = make("input", { class: "tvae-slider", type: "range", min: 0, max: 100, step: 1, "aria-label": "Mix, from A to B" });
      this.slider.addEventListener("input", () => this.#slide());
      this.amount = make("output", { class: "tvae-amount" });
      this.seed = button("Draw again", () => this.#turn({ seed: (this.patch.seed + 1) % 2 ** 32, ...this.#unless("prior") }));
      const tails = make("div", { class: "tvae-tails" }, this.names.A, this.names.B,
        make("span", { class: "tvae-mix" }, this.slider, this.amount), make("span", { class: "tvae-prior" }, this.seed));
      this.root = make("div", { class: "tvae-switches", role: "group", "aria-label": "Which song gives each bar's code" },
        this.heads, ...this.columns, tails);
      this.show(patch);
    }

    show(patch, A = "", B = "") {
      this.patch = patch;
      this.columns.forEach((column, bar) => {
        column.dataset.source = patch.sources[bar];
        column.querySelector(`[value="${patch.sources[bar]}"]`).checked = true;
      });
      this.slider.value = patch.mix;
      this.slider.setAttribute("aria-valuetext", `${patch.mix} % B`);
      this.amount.textContent = `${patch.mix} %`;
      this.root.style.setProperty("--mix", `${patch.mix}%`);
      this.names.A.textContent = A;
      this.names.B.textContent = B;
    }

    #turn(change, how = "anew") {
      this.patch = { ...this.patch, ...change };
      this.onChange(how);
    }

    #all(source) {
      this.#turn({ sources: Array(BARS).fill(source) });
    }

    /** Who turns the knob of a source that no bar uses means it for all bars. */
    #unless(source) {
      return this.patch.sources.includes(source) ? {} : { sources: Array(BARS).fill(source) };
    }

    #slide() {
      this.#turn({ mix: Number(this.slider.value), ...this.#unless("mix") }, "on");
    }
  }

  // --- what is said of a result

  const share = (part) => `${part < 0 ? "−" : ""}${Math.abs(Math.round(100 * part))} %`;
  const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;

  /** -> three cards {name, rows: [[label, place on the line 0 ... 1 or null, value, colour]], words}; without a result they are empty. */
  function cards({ patch, pieces, again, tokens }, low, high) {
    const host = hostOf(patch) ?? "A", donor = host === "A" ? "B" : "A";
    const swapped = numbers.map((bar) => bar + 1).filter((bar) => !barsFrom(patch, host).includes(bar)), [first = 1] = swapped;
    const compared = tokens && hostOf(patch) && transfer.measures(pieces[host].tokens, again[host], pieces[donor].tokens, tokens, swapped);
    const fromPrior = patch.sources[first - 1] === "prior"; // and no song's bar that could be followed
    const { structure = null, kept = null } = compared ?? {}, { rhythm = null, register = null } = (!fromPrior && compared) || {};

    const none = [null, "–"];
    const count = (part, whole) => (whole ? [part / whole, `${part} of ${whole}`] : none);
    const agreement = (value) => (rhythm ? [value, share(value)] : none);
    const level = (pitch) => (register ? [(pitch - low) / (high - low), melody.pitch_name(Math.round(pitch))] : none);
    const theirs = `bar ${first} of ${donor}`, own = `bar ${first} of ${host}`;
    const reason = !tokens ? "" : !compared ? "No bar has the code of A or B alone, so there is no song to compare with."
      : !swapped.length ? `All bars have ${host}'s own code: nothing is swapped.`
        : fromPrior ? `Bar ${first} comes from the prior, and from no song that could be followed.`
          : `No bar after bar ${first} that keeps ${host}'s code is new and has notes.`;
    const way = register?.share == null ? "" : `, ${share(register.share)} of the way from ${own} to ${theirs}`;
    return [
      {
        name: "Structure",
        rows: [
          [`${host}'s pairs, found again`, ...count(structure?.both, structure?.host), host],
          [`those with ${barsInWords(swapped.length ? swapped : [first])}`, ...count(kept?.both, kept?.host), host],
          [`the result's, not in ${host}`, ...count(structure?.result - structure?.both, structure?.result), "result"],
        ],
        words: !structure ? reason : structure.host ? "Pairs of equal bars: which are equal in the result as well?" : `No two bars of ${host} are equal.`,
      },
      {
        name: "Rhythm",
        rows: [
          [`as ${theirs}, before`, ...agreement(rhythm?.before), ""],
          [`as ${theirs}, now`, ...agreement(rhythm?.donor), donor],
          [`as ${own}, now`, ...agreement(rhythm?.host), host],
        ],
        words: rhythm ? `Do notes of later new bars begin where they do in that bar (F1)? New: no repeat of ${barsInWords(swapped)} in ${host}.` : reason,
      },
      {
        name: "Register",
        dots: true,
        rows: [
          ["before", ...level(register?.before), ""],
          ["now", ...level(register?.result), "result"],
          [theirs, ...level(register?.donor), donor],
        ],
        words: register ? `Mean pitch of later new bars: moved by ${signed(register.result - register.before)} semitones${way}.` : reason,
      },
    ];
  }

  /** How much of the songs is in the result, in a sentence. */
  function summary({ patch, pieces, again, tokens }) {
    const host = hostOf(patch), steps = (other) => tokens.filter((token, step) => token === other[step]).length;
    if (!host && !patch.sources.includes("mix")) return "No code comes from A or B: this is what the model holds a song to be.";
    if (!host) return `Of ${PIECE} steps ${steps(again.A)} are as in A reconstructed, ${steps(again.B)} as in B reconstructed.`;
    const own = barsFrom(patch, host), piece = pieces[host];
    if (own.length === BARS) return `From its eight codes alone, ${steps(piece.tokens)} of the ${PIECE} steps of ${piece.title} come back.`;
    const bar = (tokens, number) => tokens.subarray((number - 1) * STEPS, number * STEPS);
    const kept = own.filter((number) => same(bar(tokens, number), bar(again[host], number)));
    return `Bars that keep ${host}'s code: ${own.length}; of them unchanged, as in ${host} reconstructed: ${kept.length}.`;
  }

  function drawCard({ name, rows, words, dots = false }) {
    const row = ([label, place, value, colour]) => make("div", { class: "tvae-row" },
      make("dt", {}, label),
      make("dd", { "data-source": colour }, make("span", {
        class: dots ? "tvae-meter tvae-dotted" : "tvae-meter", "aria-hidden": "true",
        ...(place === null ? {} : { style: `--place: ${percent(Math.min(1, Math.max(0, place)))}` }),
      }), make("span", {}, value)));
    return make("section", { class: "tvae-card", "aria-label": name },
      make("strong", {}, name), make("dl", {}, ...rows.map(row)), make("p", { class: "tvae-small" }, words));
  }

  /** What the encoder looks at in the result: a map of its bars on its bars, for a head or the mean of all. */
  class Attention {
    #shown = null;

    constructor() {
      this.select = make("select", { class: "tvae-select", "aria-label": "Attention head" }, make("option", { value: -1 }, "mean of all heads"));
      this.select.addEventListener("change", () => this.#draw());
      this.map = svg("svg", { class: "tvae-map", role: "img", viewBox: "-1.6 -1.1 9.7 9.2" });
      this.words = make("p", { class: "tvae-small" });
      this.root = make("figure", { class: "tvae-attention" }, this.map, make("figcaption", {},
        make("strong", {}, "Where the encoder looks"), this.select, this.words,
        make("p", { class: "tvae-small" }, "Each bar of the result (row) looks at itself and at earlier bars (columns), the stronger the colour, the more; equal bars are outlined.")));
      this.#paint(numbers.map(() => numbers.map(() => 0)), numbers.map(() => numbers.map(() => false)));
    }

    /** The heads there are to choose from. */
    offer({ layers, heads }) {
      const finder = data.finder ? (data.finder.layer - 1) * heads + data.finder.head - 1 : -1;
      const names = Array.from({ length: layers * heads }, (_, k) =>
        `layer ${Math.floor(k / heads) + 1}, head ${(k % heads) + 1}${k === finder ? " – finds repeats" : ""}`);
      this.select.append(...names.map((name, k) => make("option", { value: k }, name)));
      this.select.value = finder;
    }

    show(tokens, attention) {
      this.#shown = { tokens, attention };
      this.#draw();
    }

    #draw() {
      if (!this.#shown) return;
      const { tokens, attention } = this.#shown, head = Number(this.select.value), size = BARS * BARS;
      const chosen = head < 0 ? [...Array(attention.length / size).keys()] : [head];
      const weight = (i, j) => chosen.reduce((sum, k) => sum + attention[k * size + i * BARS + j], 0) / chosen.length;
      this.#paint(numbers.map((i) => numbers.map((j) => weight(i, j))), melody.equal_bars(tokens));
    }

    #paint(weights, equal) {
      const bar = (number, x, y) => svg("text", { x, y }, `${number + 1}`);
      const cells = numbers.flatMap((i) => numbers.slice(0, i + 1).map((j) => svg("rect", {
        class: equal[i][j] && i !== j ? "tvae-cell tvae-equal" : "tvae-cell", x: j + 0.04, y: i + 0.04, width: 0.92, height: 0.92, rx: 0.1,
        "fill-opacity": (0.05 + 0.95 * weights[i][j]).toFixed(3),
      }, svg("title", {}, `bar ${i + 1} at bar ${j + 1}: ${share(weights[i][j])}`))));
      cells.sort((a, b) => a.classList.length - b.classList.length); // outlines over their neighbours
      this.map.replaceChildren(
        ...numbers.flatMap((number) => [bar(number, number + 0.5, -0.25), bar(number, -0.35, number + 0.68)]),
        ...cells);
      const back = numbers.flatMap((i) => numbers.slice(0, i).map((j) => [weights[i][j], i + 1, j + 1])).sort(([a], [b]) => b - a);
      const [[most, from, to]] = back;
      this.words.textContent = most > 0 ? `Most strongly back: bar ${from} at bar ${to}, ${share(most)}.` : "";
      const rows = numbers.slice(1).map((i) => {
        const best = weights[i].indexOf(Math.max(...weights[i]));
        return `bar ${i + 1} at bar ${best + 1}, ${share(weights[i][best])}`;
      });
      this.map.setAttribute("aria-label", `Map of attention. Where each bar looks most: ${rows.join("; ")}.`);
    }
  }

  // --- the element

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
      this.attention = new Attention();
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
        if (JSON.stringify(piece) !== JSON.stringify(player.piece)) put(player, piece);
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
});
