/* tvae.Staff: what a player shows, in staff notation below it. abcjs draws it, and is loaded when the staff is first
   asked for. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody,
    score: { score },
    elements: { make, button },
  } = tvae;

  const LIBRARY = "abcjs/abcjs-basic-min.js";
  const NARROW = 560; // px: below, a line holds two bars instead of four
  const LARGEST = 0.9; // of abcjs's own size

  class Staff {
    #drawn = ""; // what was drawn, so that it is not drawn again
    #heads = []; // of each note the shapes of its heads
    #sounding = -1;

    /** Below `player`, a <tvae-player>; `name` says whose staff it is. */
    constructor(name, folder, player) {
      this.name = name;
      this.folder = folder;
      this.player = player;
      this.button = button("Staff", () => this.#toggle(), {
        "aria-pressed": "false",
        "aria-label": `Staff of ${name}`,
        title: "Show it in staff notation as well",
      });
      this.sheet = make("div", { class: "tvae-staff-sheet" });
      this.sheet.addEventListener("click", (event) => this.#seek(event));
      this.root = make("div", { class: "tvae-staff", hidden: "" }, this.sheet);
      new ResizeObserver(() => this.show()).observe(this.root);
    }

    async #toggle() {
      const on = this.root.hidden;
      this.root.hidden = !on;
      this.button.setAttribute("aria-pressed", on);
      if (!on) return;
      try {
        await tvae.script(`${this.folder}${LIBRARY}`);
        this.show();
        this.#follow();
      } catch (error) {
        this.sheet.replaceChildren(make("p", { class: "tvae-alert", role: "alert" }, error.message));
      }
    }

    /** What the player shows now. */
    show() {
      const width = Math.floor(this.root.clientWidth),
        { piece } = this.player;
      if (this.root.hidden || !globalThis.ABCJS || !width || !piece) return;
      const wanted = JSON.stringify([width, piece.notes, piece.changed]);
      if (wanted === this.#drawn) return;
      this.#drawn = wanted;
      const tokens = melody.notes_to_tokens(piece.notes.map(([pitch, onset, end]) => ({ pitch, onset, end })));
      const { abc, heads } = score(tokens, width < NARROW ? 2 : 4);
      const [tune] = globalThis.ABCJS.renderAbc(this.sheet, abc, {
        staffwidth: width / Math.min(LARGEST, width / NARROW + 0.2),
        paddingleft: 0,
        paddingright: 0,
        paddingtop: 0,
        paddingbottom: 0,
        add_classes: true,
        ariaLabel: `${this.name} as a staff: ${piece.text}`,
      });
      const drawing = this.sheet.querySelector("svg");
      drawing.setAttribute("viewBox", `0 0 ${drawing.getAttribute("width")} ${drawing.getAttribute("height")}`);
      for (const size of ["width", "height"]) drawing.removeAttribute(size); // as large as there is room
      this.sheet.removeAttribute("style");
      this.#mark(tune, heads);
    }

    /** The player goes to the note that is nearest to a click. */
    #seek({ clientX, clientY }) {
      const distance = (shape) => {
        const { left, right, top, bottom } = shape.getBoundingClientRect();
        return Math.hypot((left + right) / 2 - clientX, (top + bottom) / 2 - clientY);
      };
      const distances = this.#heads.map((shapes) => Math.min(...shapes.map(distance)));
      const nearest = distances.indexOf(Math.min(...distances));
      if (nearest >= 0) this.player.position = this.player.piece.notes[nearest][1];
    }

    /** Each note's shapes are found again: for what changed, for what sounds, and to be clicked on. */
    #mark({ lines }, heads) {
      const { notes, changed = [] } = this.player.piece;
      const shapes = lines
        .flatMap(({ staff }) => staff.flatMap(({ voices: [voice] }) => voice))
        .filter(({ el_type, rest }) => el_type === "note" && !rest)
        .map(({ abselem }) => abselem.elemset);
      this.#heads = notes.map((_, number) => shapes.filter((_, k) => heads[k] === number).flat());
      this.#heads.forEach((own, number) => {
        for (const shape of own) shape.classList.toggle("tvae-changed", Boolean(changed[number]));
      });
      this.#sounding = -1;
    }

    /** While it is shown, the note that sounds is marked. */
    #follow() {
      if (this.root.hidden || !this.root.isConnected) return;
      const { playing, position, piece } = this.player;
      const number = playing ? piece.notes.findIndex(([, onset, end]) => onset <= position && position < end) : -1;
      if (number !== this.#sounding) {
        for (const shape of this.#heads[this.#sounding] ?? []) shape.classList.remove("tvae-sounding");
        for (const shape of this.#heads[number] ?? []) shape.classList.add("tvae-sounding");
        this.#sounding = number;
      }
      requestAnimationFrame(() => this.#follow());
    }
  }

  tvae.Staff = Staff;
})();
