/* tvae.sound: what notes sound like, live and rendered. Plain JavaScript on WebAudio, no dependency.

   An instrument is a sum of sine waves. `tvae.sound.instrument` and `tvae.sound.volume` hold for all players of a page.
   */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});

  const PIECE = 128; // steps
  const RELEASE = 0.05; // seconds

  /** A sound: attack in seconds, vibrato [Hz, cents] or none, waves [multiple, level, seconds to 1/e (as long as the
      note)]. */
  const sounds = (name, attack, vibrato, ...waves) => ({
    name,
    attack,
    vibrato,
    waves: waves.map(([multiple, level, fade = Infinity]) => [multiple, level, fade]),
  });
  const INSTRUMENTS = {
    piano: sounds("electric piano", 0.006, null, [1, 0.6, 1.1], [2, 0.2, 0.7], [3, 0.08, 0.4], [7, 0.05, 0.09]),
    harp: sounds("harp", 0.003, null, [1, 0.6, 0.5], [2, 0.3, 0.3], [3, 0.15, 0.2], [4, 0.08, 0.12], [5, 0.05, 0.08]),
    flute: sounds("flute", 0.05, [5, 8], [1, 0.5], [2, 0.12], [3, 0.03]),
    fiddle: sounds("fiddle", 0.04, [5.5, 14], [1, 0.3], [2, 0.22], [3, 0.14], [4, 0.1], [5, 0.06], [6, 0.04]),
    organ: sounds("organ", 0.01, null, [1, 0.35], [2, 0.25], [4, 0.12], [8, 0.05]),
  };

  let context, master; // one of each for the page, made when first asked for sound
  let instrument = "piano",
    volume = 1;

  /** The page's audio context. */
  function live() {
    if (!context) {
      context = new AudioContext();
      master = new GainNode(context, { gain: volume });
      master.connect(context.destination);
    }
    return context;
  }

  /** A note from `start` to `end`, in seconds of the context's clock: what `hush` takes, with the time when nothing of
      it is left. */
  function strike(audio, pitch, start, end, to = audio === context ? master : audio.destination) {
    const { attack, waves: partials, vibrato } = INSTRUMENTS[instrument];
    const frequency = 440 * 2 ** ((pitch - 69) / 12),
      stop = end + 5 * RELEASE;
    const gate = new GainNode(audio, { gain: 0 });
    gate.gain.setValueAtTime(0, start);
    gate.gain.linearRampToValueAtTime(0.4, start + attack);
    gate.gain.setTargetAtTime(0, Math.max(start + attack, end - RELEASE / 2), RELEASE / 2);
    gate.connect(to);
    const waves = partials.map(([multiple, level, fade]) => {
      const wave = new OscillatorNode(audio, { frequency: multiple * frequency });
      const gain = new GainNode(audio, { gain: level });
      // high strings fade sooner
      if (fade < Infinity) gain.gain.setTargetAtTime(0, start + attack, fade * Math.sqrt(262 / frequency));
      wave.connect(gain).connect(gate);
      return wave;
    });
    if (vibrato) {
      const [rate, cents] = vibrato,
        sway = new OscillatorNode(audio, { frequency: rate }),
        depth = new GainNode(audio, { gain: 0 });
      depth.gain.setValueAtTime(0, start + 0.15);
      depth.gain.linearRampToValueAtTime(cents, start + 0.4);
      sway.connect(depth);
      for (const wave of waves) depth.connect(wave.detune);
      waves.push(sway);
    }
    for (const wave of waves) {
      wave.start(start);
      wave.stop(stop);
    }
    waves[0].onended = () => gate.disconnect();
    return { gate, waves, stop };
  }

  /** End a note that was struck. */
  function hush({ gate, waves }, now) {
    gate.gain.cancelScheduledValues(now);
    gate.gain.setTargetAtTime(0, now, 0.012);
    for (const wave of waves) wave.stop(now + 0.1);
  }

  /** A short note at once. */
  async function note(pitch) {
    const audio = live();
    await audio.resume();
    strike(audio, pitch, audio.currentTime, audio.currentTime + 0.35);
  }

  /** One click of a metronome at a time of the page's context. */
  function click(time, first) {
    const wave = new OscillatorNode(live(), { frequency: first ? 1760 : 1175 }),
      gate = new GainNode(context, { gain: 0 });
    gate.gain.setValueAtTime(0.25, time);
    gate.gain.exponentialRampToValueAtTime(0.001, time + 0.05);
    wave.connect(gate).connect(master);
    wave.start(time);
    wave.stop(time + 0.06);
    return { gate, waves: [wave] };
  }

  /** A piece {notes, tempo} as samples, one channel: what a player would play. */
  async function render({ notes, tempo }, rate = 22050) {
    const step = 15 / tempo,
      audio = new OfflineAudioContext(1, Math.ceil((PIECE * step + 0.5) * rate), rate);
    for (const [pitch, onset, end] of notes) strike(audio, pitch, onset * step, end * step);
    return (await audio.startRendering()).getChannelData(0);
  }

  /** Samples in -1 ... 1 -> the bytes of a WAV file, 16 bits, one channel. */
  function wav(samples, rate) {
    const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
    const words = (at, text) => [...text].forEach((letter, k) => view.setUint8(at + k, letter.charCodeAt(0)));
    words(0, "RIFF");
    view.setUint32(4, 36 + 2 * samples.length, true);
    words(8, "WAVEfmt ");
    [
      [16, 16, 4],
      [20, 1, 2],
      [22, 1, 2],
      [24, rate, 4],
      [28, 2 * rate, 4],
      [32, 2, 2],
      [34, 16, 2],
    ].forEach(([at, value, bytes]) =>
      bytes === 4 ? view.setUint32(at, value, true) : view.setUint16(at, value, true),
    ); // length, PCM, channels, rate, bytes, bits
    words(36, "data");
    view.setUint32(40, 2 * samples.length, true);
    samples.forEach((sample, k) =>
      view.setInt16(44 + 2 * k, Math.round(32767 * Math.min(1, Math.max(-1, sample))), true),
    );
    return new Uint8Array(view.buffer);
  }

  tvae.sound = {
    INSTRUMENTS,
    live,
    strike,
    hush,
    note,
    click,
    render,
    wav,
    get instrument() {
      return instrument;
    },
    set instrument(name) {
      instrument = name;
    },
    get volume() {
      return volume;
    },
    set volume(value) {
      volume = value;
      if (master) master.gain.setTargetAtTime(value, context.currentTime, 0.02);
    },
  };
})();
