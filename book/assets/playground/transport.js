/* tvae.Transport: how the result is heard: beside what, how fast, again and again, on which instrument, how loud. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    sound,
    elements: { make, radios, checkbox, slider, select },
    pieces: { SLOWEST, FASTEST },
  } = tvae;

  const HEARD = [
    ["result", "result"],
    ["again", "A reconstructed"],
    ["A", "A"],
    ["B", "B"],
  ];

  class Transport {
    /** onHear(what): at once. onSound({instrument, volume, loop}) and onTempo(tempo): what is changed of these. */
    constructor({ onHear, onSound, onTempo, onPlaying }) {
      this.hear = radios("Hear", "tvae-hear", HEARD, onHear);
      this.again = this.hear.querySelector("[value=again] + span");
      this.tempo = make("input", {
        class: "tvae-number",
        type: "number",
        min: SLOWEST,
        max: FASTEST,
        step: "any",
        "aria-label": "Tempo, quarter notes a minute",
      });
      this.tempo.addEventListener("change", () => {
        const tempo = Math.round(100 * Number(this.tempo.value)) / 100;
        onTempo(tempo ? Math.min(FASTEST, Math.max(SLOWEST, tempo)) : null);
      });
      const [loop, looped] = checkbox("loop", (on) => onSound({ loop: on }, ""));
      const instruments = Object.entries(sound.INSTRUMENTS).map(([value, { name }]) => [value, name]);
      this.instrument = select("Instrument", instruments, (instrument) => onSound({ instrument }, ""));
      this.volume = slider("Volume", { min: 0, max: 100, step: 5 }, (volume) =>
        onSound({ volume: volume / 100 }, "volume"),
      );
      const [playing, plays] = checkbox("play on change", onPlaying);
      this.looped = looped;
      this.plays = plays;
      plays.checked = true;
      this.root = make(
        "div",
        { class: "tvae-transport", role: "group", "aria-label": "How it is heard" },
        make(
          "div",
          { class: "tvae-hear" },
          make("span", { class: "tvae-small", "aria-hidden": "true" }, "hear"),
          this.hear,
        ),
        make("label", { class: "tvae-check" }, "tempo", this.tempo),
        loop,
        this.instrument,
        make("label", { class: "tvae-check" }, "volume", this.volume),
        playing,
      );
    }

    show({ instrument, volume, loop }, tempo, heard, host) {
      this.hear.querySelector(`[value=${heard}]`).checked = true;
      this.again.textContent = `${host} reconstructed`;
      if (document.activeElement !== this.tempo) this.tempo.value = tempo;
      this.looped.checked = loop;
      this.instrument.value = instrument;
      this.volume.value = 100 * volume;
      this.volume.setAttribute("aria-valuetext", `${Math.round(100 * volume)} %`);
    }
  }

  tvae.Transport = Transport;
})();
