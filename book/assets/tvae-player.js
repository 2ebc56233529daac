/* <tvae-player data-piece='{...}'>: a melody of 8 or 16 bars to see and hear. Needs tvae-roll.js and tvae-sound.js; no
   network.

   data-piece (written by tvae/report/listen.py, or set from a script as `element.piece = {...}`): title, role ("",
   "host", "donor", "result"), text (the melody in a sentence), tempo (quarter notes a minute), and what tvae-roll.js
   draws: notes in time, repeats, tints, low, high, and maybe ghost and changed. The element has `playing`, `position`
   (steps; can be set), `loop`, `play()`, `pause()`, and `change(piece)`, which goes on in time with another piece. */
(() => {
  "use strict";
  if (customElements.get("tvae-player")) return;

  const { roll, sound } = globalThis.tvae;
  const { STEPS, html, svg, percent } = roll;
  // seconds that notes are handed to the audio clock in advance: timers in hidden tabs come once a second
  const AHEAD = 1.5;
  const secondsPerStep = (piece) => 15 / piece.tempo;

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let current = null; // the player that plays: one at a time on a page

  class TvaePlayer extends HTMLElement {
    #piece;
    #at = 0; // the position while nothing plays
    #from = 0; // the position at the time #origin of the audio clock, while something plays
    #origin = 0;
    #next = 0; // the first note not yet handed to the audio clock
    #round = 0; // how often it has begun again, of that note
    #loop = false;
    #voices = [];
    #timer = 0;
    #frame = 0;

    connectedCallback() {
      if (document.readyState === "loading") {
        // what is inside has not been read yet
        document.addEventListener("DOMContentLoaded", () => this.connectedCallback(), { once: true });
      } else if (!this.#piece && this.dataset.piece) {
        this.piece = JSON.parse(this.dataset.piece);
      }
    }

    disconnectedCallback() {
      this.pause();
    }

    get piece() {
      return this.#piece;
    }

    set piece(piece) {
      this.pause();
      this.#piece = piece;
      this.#at = 0;
      this.#build();
    }

    /** Of the piece, in steps: what is equal to what stands there for each bar. */
    get #length() {
      return this.#piece.repeats.length * STEPS;
    }

    get playing() {
      return current === this;
    }

    get position() {
      if (!this.playing || !this.#timer) return this.#at;
      const steps = this.#from + Math.max(0, (sound.live().currentTime - this.#origin) / secondsPerStep(this.#piece));
      return this.#loop ? steps % this.#length : Math.min(this.#length, steps);
    }

    set position(step) {
      this.#at = Math.min(this.#length, Math.max(0, step));
      if (this.playing && this.#timer) this.#start();
      this.#show();
    }

    get loop() {
      return this.#loop;
    }

    set loop(on) {
      const at = this.position;
      this.#loop = on;
      this.#goOn(at);
    }

    /** Another piece, from the step where this one is; what plays goes on without a break, and the focus stays. */
    change(piece) {
      const at = this.position,
        focused = this.contains(document.activeElement) && document.activeElement.classList[0];
      this.#piece = piece;
      this.#build();
      this.#goOn(at);
      if (focused) this.querySelector(`.${focused}`)?.focus();
    }

    #goOn(at) {
      this.#at = at;
      if (this.playing && this.#timer) this.#start(0);
      this.#show();
    }

    async play() {
      if (this.playing) return;
      current?.pause();
      current = this;
      if (this.#at >= this.#length) this.#at = 0;
      this.#label();
      await sound.live().resume();
      if (this.playing && !this.#timer) this.#start(); // unless paused meanwhile
    }

    pause() {
      if (!this.playing) return;
      this.#at = this.position;
      current = null;
      this.#silence();
      setTimeout(() => current || sound.live().suspend(), 500); // once the last note has faded
      this.#label();
      this.#show();
    }

    #start(delay = 0.05) {
      this.#silence();
      this.#from = this.#at;
      this.#origin = sound.live().currentTime + delay;
      this.#round = 0;
      this.#next = this.#piece.notes.findIndex(([, , end]) => end > this.#from);
      if (this.#next < 0) this.#next = this.#piece.notes.length;
      this.#timer = setInterval(() => this.#feed(), 100);
      this.#feed();
      this.#draw();
    }

    #silence() {
      clearInterval(this.#timer);
      cancelAnimationFrame(this.#frame);
      this.#timer = 0;
      for (const voice of this.#voices) sound.hush(voice, sound.live().currentTime);
      this.#voices = [];
    }

    #feed() {
      if (!this.#loop && this.position >= this.#length) {
        this.pause();
        this.position = 0;
        return;
      }
      const { notes } = this.#piece,
        audio = sound.live();
      this.#voices = this.#voices.filter(({ stop }) => stop > audio.currentTime);
      const time = (step) =>
        this.#origin + (this.#round * this.#length + step - this.#from) * secondsPerStep(this.#piece);
      for (;;) {
        if (this.#next >= notes.length) {
          if (!this.#loop || !notes.length || time(this.#length) > audio.currentTime + AHEAD) break;
          this.#next = 0;
          this.#round += 1;
        }
        const [pitch, onset, end] = notes[this.#next];
        const start = time(this.#round ? onset : Math.max(onset, this.#from));
        if (start > audio.currentTime + AHEAD) break;
        this.#voices.push(sound.strike(audio, pitch, start, time(end)));
        this.#next += 1;
      }
    }

    #draw() {
      this.#show();
      this.#frame = requestAnimationFrame(() => this.#draw());
    }

    #build() {
      const { title, role, text } = this.#piece;
      const midi = this.querySelector(".tvae-midi"); // written by Python; the rest of what it wrote is made anew
      const head = html("div", { class: "tvae-head" });
      const words = html("div", { class: "tvae-words" });
      this.button = html("button", { type: "button", class: "tvae-play" });
      const icon = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
      icon.append(
        svg("path", { class: "tvae-to-play", d: "M8 5v14l11-7z" }),
        svg("path", { class: "tvae-to-pause", d: "M7 5h4v14H7zM13 5h4v14h-4z" }),
      );
      this.button.append(icon);
      if (role) words.append(html("span", { class: "tvae-role" }, role), " ");
      words.append(html("strong", { class: "tvae-title" }, title));
      this.where = html("span", { class: "tvae-where", "aria-hidden": "true" });
      words.append(this.where);
      head.append(this.button, words, ...(midi ? [midi] : []));

      this.roll = svg("svg", {
        class: "tvae-roll",
        role: "slider",
        tabindex: 0,
        "aria-label": `Position in ${title || "the piece"}`,
        "aria-description":
          `${text ? text + ". " : ""}` + "Arrow keys move by a bar, with Shift by a step; space plays and pauses.",
        "aria-valuemin": 0,
        "aria-valuemax": this.#length,
      });
      const { back, ghost, notes } = roll.draw(this.#piece);
      this.notes = notes;
      this.playhead = svg("line", { class: "tvae-playhead", y1: -3, y2: "100%" });
      this.roll.append(
        svg("rect", { class: "tvae-paper", width: "100%", height: "100%" }),
        ...back,
        ...ghost,
        ...notes,
        this.playhead,
      );
      this.dataset.role = role ?? "";
      this.replaceChildren(head, this.roll);

      this.button.addEventListener("click", () => this.#toggle());
      this.roll.addEventListener("click", (event) => {
        const { left, width } = this.roll.querySelector(".tvae-paper").getBoundingClientRect();
        this.position = Math.floor(((event.clientX - left) / width) * this.#length);
      });
      this.roll.addEventListener("keydown", (event) => this.#key(event));
      this.#label();
      this.#show();
    }

    #toggle() {
      this.playing ? this.pause() : this.play();
    }

    #key(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const at = this.position,
        bar = Math.floor(at / STEPS) * STEPS;
      // first to where the bar begins
      const back = event.shiftKey ? Math.ceil(at) - 1 : at - bar > 2 ? bar : bar - STEPS;
      const on = event.shiftKey ? Math.floor(at) + 1 : bar + STEPS;
      const seek = { ArrowLeft: back, ArrowDown: back, ArrowRight: on, ArrowUp: on, Home: 0, End: this.#length }[
        event.key
      ];
      if (seek !== undefined) this.position = seek;
      else if (event.key === " " || event.key === "Enter") this.#toggle();
      else return;
      event.preventDefault();
      event.stopPropagation(); // the page has its own idea of the arrow keys
    }

    #label() {
      if (!this.button) return;
      this.button.setAttribute("aria-label", `${this.playing ? "Pause" : "Play"} ${this.#piece.title || "the piece"}`);
      this.toggleAttribute("data-playing", this.playing);
    }

    #show() {
      if (!this.roll) return;
      const at = this.position;
      // beat by beat where motion is unwelcome
      const shown = percent((calm.matches ? Math.floor(at / 4) * 4 : at) / this.#length);
      this.playhead.setAttribute("x1", shown);
      this.playhead.setAttribute("x2", shown);
      this.#piece.notes.forEach(([, onset, end], k) => {
        this.notes[k].classList.toggle("tvae-sounding", this.playing && onset <= at && at < end);
      });
      const bar = Math.min(this.#piece.repeats.length, Math.floor(at / STEPS) + 1);
      const where = `bar ${bar} of ${this.#piece.repeats.length}`;
      if (this.where.textContent !== where) this.where.textContent = where;
      if (!this.playing || bar !== this.bar) {
        // while it plays, spoken once a bar
        this.bar = bar;
        this.roll.setAttribute("aria-valuenow", Math.floor(at));
        this.roll.setAttribute(
          "aria-valuetext",
          `bar ${bar}, step ${Math.min(STEPS, Math.floor(at) - (bar - 1) * STEPS + 1)}`,
        );
      }
    }
  }

  customElements.define("tvae-player", TvaePlayer);
})();
