/* <tvae-player data-piece='{...}'>: a melody of 8 bars to see and hear. Plain JavaScript, no dependency, no network.

   data-piece (written by tvae/listen.py, or set from a script as `element.piece = {...}`):
     title, role ("", "host", "donor", "result"), text (the melody in a sentence), tempo (quarter notes a minute),
     notes [[MIDI pitch, first step, step it ends before], ...] in time, repeats [8] (the bar each bar repeats, -1: new),
     low, high (MIDI pitches of the roll).
   The element has `playing`, `position` (steps; can be set), `play()`, `pause()`, and
   `customElements.get("tvae-player").render(piece)` gives the samples it would play.
   Colours are in tvae.css. */
(() => {
  "use strict";
  if (customElements.get("tvae-player")) return;

  const BARS = 8, STEPS = 16, PIECE = BARS * STEPS;
  const AHEAD = 1.5; // seconds that notes are handed to the audio clock in advance: timers in hidden tabs come once a second
  const secondsPerStep = (piece) => 15 / piece.tempo;

  // --- sound: a soft electric piano, four sine waves that fade at their own pace

  const PARTIALS = [[1, 0.6, 1.1], [2, 0.2, 0.7], [3, 0.08, 0.4], [7, 0.05, 0.09]]; // multiple, level, seconds to 1/e
  const ATTACK = 0.006, RELEASE = 0.05; // seconds

  let context; // one for the page, made when first asked for sound

  function strike(audio, pitch, start, end) {
    const frequency = 440 * 2 ** ((pitch - 69) / 12);
    const gate = new GainNode(audio, { gain: 0 });
    gate.gain.setValueAtTime(0, start);
    gate.gain.linearRampToValueAtTime(0.4, start + ATTACK);
    gate.gain.setTargetAtTime(0, end - RELEASE / 2, RELEASE / 2);
    gate.connect(audio.destination);
    const waves = PARTIALS.map(([multiple, level, fade]) => {
      const wave = new OscillatorNode(audio, { frequency: multiple * frequency });
      const gain = new GainNode(audio, { gain: level });
      gain.gain.setTargetAtTime(0, start + ATTACK, fade * Math.sqrt(262 / frequency)); // high strings fade sooner
      wave.connect(gain).connect(gate);
      wave.start(start);
      wave.stop(end + 5 * RELEASE);
      return wave;
    });
    waves[0].onended = () => gate.disconnect();
    return { gate, waves };
  }

  function hush({ gate, waves }, now) {
    gate.gain.cancelScheduledValues(now);
    gate.gain.setTargetAtTime(0, now, 0.012);
    for (const wave of waves) wave.stop(now + 0.1);
  }

  // --- drawing

  function svg(name, attributes = {}, text = "") {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  }

  function html(name, attributes = {}, text = "") {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  }

  const percent = (part) => `${+(100 * part).toFixed(3)}%`;

  function shapes({ notes, repeats, low, high }) {
    const row = 1 / (high - low + 1);
    const groups = [...new Set(repeats.filter((bar) => bar >= 0))].sort((a, b) => a - b);
    const back = [], front = [];
    repeats.forEach((earlier, bar) => {
      const x = percent(bar / BARS), width = percent(1 / BARS);
      const group = groups.indexOf(earlier < 0 ? bar : earlier) + 1;
      if (group) {
        back.push(svg("rect", { class: `tvae-tint tvae-group-${group}`, x, y: 0, width, height: "100%" }));
        back.push(svg("rect", { class: `tvae-group-${group}`, x, y: -3, width, height: 3 }));
      }
      back.push(svg("line", { class: "tvae-line", x1: x, x2: x, y1: 0, y2: "100%" }));
      back.push(svg("text", { x, y: -6, dx: 2 }, earlier < 0 ? bar + 1 : `${bar + 1} = ${earlier + 1}`));
    });
    for (let pitch = 12 * Math.ceil(low / 12); pitch <= high; pitch += 12) {
      const y = percent((high - pitch + 0.5) * row);
      back.push(svg("line", { class: "tvae-octave", x1: 0, x2: "100%", y1: y, y2: y }));
      back.push(svg("text", { x: -4, y, dy: 4, "text-anchor": "end" }, `C${pitch / 12 - 1}`));
    }
    for (const [pitch, onset, end] of notes) {
      front.push(svg("rect", {
        class: "tvae-note", x: percent(onset / PIECE), y: percent((high - pitch) * row),
        width: percent((end - onset - 0.2) / PIECE), height: percent(row), rx: 1.5,
      }));
    }
    return { back, front };
  }

  // --- the element

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let current = null; // the player that plays: one at a time on a page

  class TvaePlayer extends HTMLElement {
    #piece;
    #at = 0; // the position while nothing plays
    #from = 0; // the position at the time #origin of the audio clock, while something plays
    #origin = 0;
    #next = 0; // the first note not yet handed to the audio clock
    #voices = [];
    #timer = 0;
    #frame = 0;

    static async render(piece, rate = 22050) {
      const seconds = PIECE * secondsPerStep(piece) + 0.5;
      const audio = new OfflineAudioContext(1, Math.ceil(seconds * rate), rate);
      for (const [pitch, onset, end] of piece.notes) {
        strike(audio, pitch, onset * secondsPerStep(piece), end * secondsPerStep(piece));
      }
      return (await audio.startRendering()).getChannelData(0);
    }

    connectedCallback() {
      if (document.readyState === "loading") { // what is inside has not been read yet
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

    get playing() {
      return current === this;
    }

    get position() {
      if (!this.playing || !this.#timer) return this.#at;
      const steps = (context.currentTime - this.#origin) / secondsPerStep(this.#piece);
      return Math.min(PIECE, this.#from + Math.max(0, steps));
    }

    set position(step) {
      this.#at = Math.min(PIECE, Math.max(0, step));
      if (this.playing && this.#timer) this.#start();
      this.#show();
    }

    async play() {
      if (this.playing) return;
      current?.pause();
      current = this;
      if (this.#at >= PIECE) this.#at = 0;
      this.#label();
      context ??= new AudioContext();
      await context.resume();
      if (this.playing && !this.#timer) this.#start(); // unless paused meanwhile
    }

    pause() {
      if (!this.playing) return;
      this.#at = this.position;
      current = null;
      this.#silence();
      setTimeout(() => current || context.suspend(), 500); // once the last note has faded
      this.#label();
      this.#show();
    }

    #start() {
      this.#silence();
      this.#from = this.#at;
      this.#origin = context.currentTime + 0.05;
      this.#next = this.#piece.notes.findIndex(([, , end]) => end > this.#from);
      this.#timer = setInterval(() => this.#feed(), 100);
      this.#feed();
      this.#draw();
    }

    #silence() {
      clearInterval(this.#timer);
      cancelAnimationFrame(this.#frame);
      this.#timer = 0;
      for (const voice of this.#voices) hush(voice, context.currentTime);
      this.#voices = [];
    }

    #feed() {
      if (this.position >= PIECE) {
        this.pause();
        this.position = 0;
        return;
      }
      const { notes } = this.#piece;
      const time = (step) => this.#origin + (step - this.#from) * secondsPerStep(this.#piece);
      while (this.#next >= 0 && this.#next < notes.length) {
        const [pitch, onset, end] = notes[this.#next];
        const start = time(Math.max(onset, this.#from));
        if (start > context.currentTime + AHEAD) break;
        this.#voices.push(strike(context, pitch, start, time(end)));
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
        class: "tvae-roll", role: "slider", tabindex: 0, "aria-label": `Position in ${title || "the piece"}`,
        "aria-description": `${text ? text + ". " : ""}Arrow keys move by a bar, with Shift by a step; space plays and pauses.`,
        "aria-valuemin": 0, "aria-valuemax": PIECE,
      });
      const { back, front } = shapes(this.#piece);
      this.notes = front;
      this.playhead = svg("line", { class: "tvae-playhead", y1: -3, y2: "100%" });
      this.roll.append(svg("rect", { class: "tvae-paper", width: "100%", height: "100%" }), ...back, ...front, this.playhead);
      this.dataset.role = role ?? "";
      this.replaceChildren(head, this.roll);

      this.button.addEventListener("click", () => this.#toggle());
      this.roll.addEventListener("click", (event) => {
        const { left, width } = this.roll.querySelector(".tvae-paper").getBoundingClientRect();
        this.position = Math.floor(((event.clientX - left) / width) * PIECE);
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
      const at = this.position, bar = Math.floor(at / STEPS) * STEPS;
      const back = event.shiftKey ? Math.ceil(at) - 1 : at - bar > 2 ? bar : bar - STEPS; // first to where the bar begins
      const on = event.shiftKey ? Math.floor(at) + 1 : bar + STEPS;
      const seek = { ArrowLeft: back, ArrowDown: back, ArrowRight: on, ArrowUp: on, Home: 0, End: PIECE }[event.key];
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
      const shown = percent((calm.matches ? Math.floor(at / 4) * 4 : at) / PIECE); // beat by beat where motion is unwelcome
      this.playhead.setAttribute("x1", shown);
      this.playhead.setAttribute("x2", shown);
      this.#piece.notes.forEach(([, onset, end], k) => {
        this.notes[k].classList.toggle("tvae-sounding", this.playing && onset <= at && at < end);
      });
      const bar = Math.min(BARS, Math.floor(at / STEPS) + 1);
      const where = `bar ${bar} of ${BARS}`;
      if (this.where.textContent !== where) this.where.textContent = where;
      if (!this.playing || bar !== this.bar) { // while it plays, spoken once a bar
        this.bar = bar;
        this.roll.setAttribute("aria-valuenow", Math.floor(at));
        this.roll.setAttribute("aria-valuetext", `bar ${bar}, step ${Math.min(STEPS, Math.floor(at) - (bar - 1) * STEPS + 1)}`);
      }
    }
  }

  customElements.define("tvae-player", TvaePlayer);
})();
