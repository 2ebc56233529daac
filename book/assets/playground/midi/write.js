/* From tokens to MIDI files: tvae/midi/write.py, name for name; the bytes are put together by midi-file/. */
(() => {
  "use strict";
  const {
    midi,
    melody: { STATES, TvaeError, tokens_to_notes },
  } = globalThis.tvae;

  const TICKS = 480; // a quarter note

  const to_utf8 = (text) =>
    encodeURIComponent(text).replace(/%(..)/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));

  /** The bytes of a MIDI file, the same as Python writes: one track of that name in 4/4; `tempo` in quarter notes a
      minute, `program` a General MIDI number. `read_midi` gives the tokens back.

      Throws TvaeError for tokens that are no states, a tempo outside 4 ... 1000, a program outside 0 ... 127. */
  function write_midi(tokens, { tempo = 120, name = "melody", program = 0 } = {}) {
    if (tokens.some((token) => token >= STATES)) {
      throw new TvaeError(
        `Tokens are states 0 to ${STATES - 1}; these go from ${Math.min(...tokens)} to ${Math.max(...tokens)}.`,
      );
    }
    if (!(tempo >= 4 && tempo <= 1000)) {
      throw new TvaeError(`A tempo of ${tempo} quarter notes a minute cannot be written; choose one from 4 to 1000.`);
    }
    if (!(Number.isInteger(program) && program >= 0 && program < 128)) {
      throw new TvaeError(`There is no General MIDI program ${program}; choose one from 0 to 127.`);
    }
    const step = TICKS / 4,
      channel = 0;
    const notes = tokens_to_notes(tokens)
      .flatMap(({ pitch: noteNumber, onset, end }) => [
        { tick: onset * step, type: "noteOn", channel, noteNumber, velocity: 100 },
        { tick: end * step, type: "noteOn", channel, noteNumber, velocity: 0 }, // ends it
      ])
      .sort((a, b) => a.tick - b.tick || a.noteNumber - b.noteNumber || a.velocity - b.velocity);
    const timing = [
      { tick: 0, type: "setTempo", microsecondsPerBeat: midi.round(60e6 / tempo) },
      { tick: 0, type: "timeSignature", numerator: 4, denominator: 4, metronome: 24, thirtyseconds: 8 },
      { tick: tokens.length * step, type: "text", text: midi.END_OF_PIECE },
    ];
    const track = [
      ...(name ? [{ tick: 0, type: "trackName", text: to_utf8(name) }] : []),
      { tick: 0, type: "programChange", channel, programNumber: program },
      ...notes,
    ];
    const events = (list) => {
      const { tick } = list.at(-1);
      return [...list, { tick: tick + 1, type: "endOfTrack" }].map((event, k, all) => ({
        ...event,
        deltaTime: event.tick - (all[k - 1]?.tick ?? 0),
      }));
    };
    const file = { header: { format: 1, ticksPerBeat: TICKS }, tracks: [events(timing), events(track)] };
    return Uint8Array.from(writeMidi(file, { running: true }));
  }

  midi.write_midi = write_midi;
})();
