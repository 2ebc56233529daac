/* tvae.Recorder: a melody played on a keyboard that is connected (Web MIDI): one bar counts in, then eight are recorded
   to a click. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody,
    melody: { BARS, STEPS, PIECE },
    sound,
    elements: { make, button, enable, enabled },
  } = tvae;
  const BEATS = STEPS / 4,
    NOTE_ON = 0x90,
    NOTE_OFF = 0x80;
  const HEARD = 0.08; // seconds in which the first click is prepared

  class Recorder {
    #access = null;
    #take = null; // {notes, held, start (ms of the page's clock), step (ms), clicks, timer}

    /** tempo(): quarter notes a minute. onTake(tokens): what was played. */
    constructor(name, tempo, onTake) {
      this.tempo = tempo;
      this.onTake = onTake;
      this.button = button("Record", () => this.#toggle(), {
        "aria-pressed": "false",
        title: "Play it on a MIDI keyboard",
      });
      this.words = make("p", { class: "tvae-heard", role: "status" });
      this.stop = button("Stop and keep", () => this.#end());
      this.root = make(
        "div",
        { class: "tvae-recorder", role: "group", "aria-label": `Record melody ${name}`, hidden: "" },
        this.words,
        this.stop,
      );
    }

    #say(words) {
      this.root.hidden = !words;
      this.words.textContent = words;
      this.stop.hidden = !this.#take;
    }

    async #toggle() {
      if (this.#take) {
        this.#cancel();
        return;
      }
      if (!enabled(this.button)) return; // the browser is still asking
      if (!navigator.requestMIDIAccess) {
        this.#say("This browser cannot hear MIDI keyboards; Chrome, Edge and Firefox can.");
        return;
      }
      enable(this.button, false);
      this.#say("The browser asks whether this page may hear your keyboard …");
      try {
        this.#access ??= await navigator.requestMIDIAccess();
      } catch {
        this.#say("The browser does not let this page hear a keyboard; its settings for this page can change that.");
        return;
      } finally {
        enable(this.button, true);
      }
      const inputs = [...this.#access.inputs.values()];
      if (!inputs.length) {
        this.#say("No keyboard is connected. Connect one, switch it on and press Record again.");
        return;
      }
      await this.#begin(inputs);
    }

    async #begin(inputs) {
      const audio = sound.live();
      await audio.resume();
      const beat = 60 / this.tempo(),
        count = audio.currentTime + HEARD; // the count-in begins
      const clicks = Array.from({ length: BEATS * (BARS + 1) }, (_, k) =>
        sound.click(count + k * beat, k % BEATS === 0),
      );
      // a click is heard later than the clock says
      const heard = 1000 * (audio.outputLatency || audio.baseLatency || 0);
      const start = performance.now() + 1000 * (HEARD + BEATS * beat) + heard;
      this.#take = {
        inputs,
        audio,
        clicks,
        start,
        step: (1000 * beat) / 4,
        notes: [],
        held: new Map(),
        listen: (event) => this.#hear(event),
      };
      for (const input of inputs) input.addEventListener("midimessage", this.#take.listen);
      this.button.setAttribute("aria-pressed", true);
      this.button.textContent = "Cancel";
      this.#tick();
      this.#take.timer = setInterval(() => this.#tick(), 60);
    }

    /** Where we are, and the end. */
    #tick() {
      const { start, step, notes } = this.#take,
        at = (performance.now() - start) / step;
      const beat = Math.floor((STEPS + Math.max(at, -STEPS)) / 4) + 1; // of the bar before the first
      const words =
        at < 0
          ? `Counting in: ${beat} of ${BEATS}`
          : `Recording bar ${Math.floor(at / STEPS) + 1} of ${BARS}, ${notes.length} notes`;
      if (at >= PIECE) this.#end();
      else if (this.words.textContent !== words) this.#say(words);
    }

    #hear({ data: [status, pitch, velocity], timeStamp }) {
      const { start, step, notes, held } = this.#take,
        kind = status & 0xf0,
        at = (timeStamp - start) / step;
      if (kind === NOTE_ON && velocity > 0) {
        sound.note(pitch);
        held.set(pitch, at);
      } else if ((kind === NOTE_OFF || kind === NOTE_ON) && held.has(pitch)) {
        notes.push([pitch, held.get(pitch), at]);
        held.delete(pitch);
      }
    }

    /** Everything stops; what was played is given back, [pitch, onset, end] in steps, not yet on the grid. */
    #close() {
      const { inputs, audio, clicks, timer, listen, start, step, notes, held } = this.#take;
      clearInterval(timer);
      for (const input of inputs) input.removeEventListener("midimessage", listen);
      for (const click of clicks) sound.hush(click, audio.currentTime);
      const end = (performance.now() - start) / step;
      this.#take = null;
      this.button.setAttribute("aria-pressed", false);
      this.button.textContent = "Record";
      return [...notes, ...[...held].map(([pitch, onset]) => [pitch, onset, end])];
    }

    #cancel() {
      this.#close();
      this.#say("");
    }

    #end() {
      const played = this.#close().filter(([, onset]) => onset > -0.5 && onset < PIECE - 0.5);
      if (!played.length) {
        this.#say("Nothing was played; the melody stays as it was.");
        return;
      }
      this.#say("");
      this.onTake(
        melody.notes_to_tokens(played.map(([pitch, onset, end]) => melody.quantise(pitch, Math.max(0, onset), end))),
      );
    }
  }

  tvae.Recorder = Recorder;
})();
