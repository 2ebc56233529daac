/* What a melody is: tvae/melody.py, name for name, in its order, for one piece at a time. The way from MIDI to there
   and back is in midi/.

   A piece is a Uint8Array of 8 bars of 16 steps, each step a token: 0 silence, 1 sustain, 2 ... 46 a note begins, MIDI
   pitch 40 (E2) ... 84 (C6). A note is {pitch, onset, end}: MIDI pitch, first step, and the step it ends before. Plain
   JavaScript: it runs in a page, in a worker and in any engine. tests/test_playground_melody.py holds all of it against
   Python's. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});

  class TvaeError extends Error {} // one sentence, for whatever a user can get wrong

  const highest = (values) => values.reduce((a, b) => Math.max(a, b), 0); // (Math.max takes only so many at once)

  // --- tokens

  const SILENCE = 0,
    SUSTAIN = 1,
    FIRST_PITCH = 2;
  // MIDI pitches.
  const LOWEST = 40,
    HIGHEST = 84;
  const STATES = FIRST_PITCH + HIGHEST - LOWEST + 1; // 47
  const BARS = 8,
    STEPS = 16;
  const PIECE = BARS * STEPS; // 128 steps
  // Semitones, the smallest move first.
  const OCTAVES = [0, ...Array.from({ length: 10 }, (_, k) => [-12 * (k + 1), 12 * (k + 1)]).flat()];

  /** The note nearest to one that starts and ends between steps (halves go up); it lasts at least one step. */
  function quantise(pitch, onset, end) {
    const step = Math.floor(onset + 0.5);
    return { pitch, onset: step, end: Math.max(Math.floor(end + 0.5), step + 1) };
  }

  /** One note at a time, in time: a later note cuts an earlier one, of two that start together the higher stays. */
  function one_voice(notes) {
    const sorted = [...notes].sort((a, b) => a.onset - b.onset || a.pitch - b.pitch || a.end - b.end);
    const heard = [...new Map(sorted.map((note) => [note.onset, note])).values()];
    const last = highest(heard.map(({ end }) => end));
    return heard.map(({ pitch, onset, end }, k) => ({ pitch, onset, end: Math.min(end, heard[k + 1]?.onset ?? last) }));
  }

  /** Notes, in any order and overlapping as they like (see `one_voice`) -> tokens, valid.

      Notes outside the 45 pitches become silence; what lies outside the steps 0 ... length - 1 is cut off, and a note
      that starts before step 0 is left out. */
  function notes_to_tokens(notes, length = PIECE) {
    const tokens = new Uint8Array(length).fill(SILENCE);
    for (const { pitch, onset, end } of one_voice(notes)) {
      if (pitch < LOWEST || pitch > HIGHEST || onset < 0 || onset >= length) continue;
      tokens.fill(SUSTAIN, onset, end);
      tokens[onset] = pitch - LOWEST + FIRST_PITCH;
    }
    return tokens;
  }

  /** Tokens -> the notes they stand for, in time. A sustain with nothing to sustain is silent. */
  function tokens_to_notes(tokens) {
    const starts = [...tokens.keys()].filter((step) => tokens[step] !== SUSTAIN); // of a note or of a step of silence
    return starts
      .map((onset, k) => ({ pitch: tokens[onset] - FIRST_PITCH + LOWEST, onset, end: starts[k + 1] ?? tokens.length }))
      .filter(({ onset }) => tokens[onset] >= FIRST_PITCH);
  }

  /** Tokens -> the valid tokens that sound the same: a sustain with nothing to sustain becomes silence. */
  function canonical(tokens) {
    let sounding = false;
    return tokens.map((token) => {
      sounding = token >= FIRST_PITCH || (token === SUSTAIN && sounding);
      return sounding ? token : SILENCE;
    });
  }

  /** Are all tokens states of the grid, and every sustain preceded by what it sustains? */
  function is_valid(tokens) {
    const clean = canonical(tokens);
    return tokens.every((token, step) => token < STATES && token === clean[step]);
  }

  /** Tokens -> tokens, valid, so many semitones higher; a pitch that leaves the grid becomes silence. */
  function transpose(tokens, semitones) {
    return canonical(
      tokens.map((token) => {
        if (token < FIRST_PITCH) return token;
        const moved = token + semitones;
        return moved >= FIRST_PITCH && moved < STATES ? moved : SILENCE;
      }),
    );
  }

  /** A piece -> its 8 bars, of 16 tokens each. */
  function bars(tokens) {
    return Array.from({ length: tokens.length / STEPS }, (_, bar) => tokens.subarray(bar * STEPS, (bar + 1) * STEPS));
  }

  /** (8, 8) booleans: are bars i and j the same, token for token? A bar without an onset equals nothing. */
  function equal_bars(tokens) {
    const x = bars(tokens);
    return x.map((one) =>
      x.map(
        (other) =>
          // else bars that hold different notes would be equal
          one.some((token) => token >= FIRST_PITCH) && one.every((token, step) => token === other[step]),
      ),
    );
  }

  /** The first earlier bar (0 ... 6) that each bar repeats, -1 where it is new. */
  function earlier_equal(tokens) {
    return equal_bars(tokens).map((same, bar) => same.slice(0, bar).indexOf(true));
  }

  // --- for the page: tokens in a link, and for <tvae-player>

  // Of the 47 states, as in tvae/report/playground.py.
  const LETTERS = ".-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs";

  /** Tokens -> a letter a step: "." silence, "-" sustain, A ... Z and a ... s the pitches; stands in a link as it
      is. */
  const to_text = (tokens) => Array.from(tokens, (token) => LETTERS[token]).join("");

  /** A letter a step -> tokens. Throws TvaeError unless these are the letters of a piece. */
  function from_text(text) {
    const tokens = [...text].map((letter) => LETTERS.indexOf(letter));
    if (tokens.length !== PIECE || tokens.includes(-1)) {
      throw new TvaeError(`A melody in a link has ${PIECE} letters, each of "${LETTERS}"; this one is damaged.`);
    }
    return Uint8Array.from(tokens);
  }

  const PITCH_NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

  /** MIDI pitch -> its name, 60 -> C4. */
  const pitch_name = (pitch) => `${PITCH_NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

  /** Lowest and highest MIDI pitch a roll of these notes shows: all of them, and at least an octave and a half. */
  function pitch_range(notes) {
    const pitches = notes.length ? notes.map(({ pitch }) => pitch) : [60];
    const low = Math.min(...pitches) - 1,
      high = Math.max(...pitches) + 1;
    const room = Math.max(0, 18 - (high - low)),
      below = Math.floor(room / 2);
    return [low - below, high + room - below];
  }

  /** The melody in a sentence: how many notes, from where to where, which bars repeat which. */
  function describe(tokens) {
    const pitches = tokens_to_notes(tokens).map(({ pitch }) => pitch);
    if (!pitches.length) return "8 bars of silence";
    const repeats = earlier_equal(tokens).flatMap((source, bar) =>
      source < 0 ? [] : [`bar ${bar + 1} = bar ${source + 1}`],
    );
    const notes = pitches.length === 1 ? "1 note" : `${pitches.length} notes`;
    const span = `${notes} from ${pitch_name(Math.min(...pitches))} to ${pitch_name(Math.max(...pitches))}`;
    return `${span}; ${repeats.join(", ") || "no bar repeats an earlier one"}`;
  }

  /** What <tvae-player> takes (see tvae/report/listen.py); low and high, the pitches of its roll, fit the piece unless
      given. */
  function piece(tokens, { title = "", role = "", tempo = 120, low, high } = {}) {
    const notes = tokens_to_notes(tokens),
      [bottom, top] = pitch_range(notes);
    return {
      title,
      role,
      text: describe(tokens),
      tempo,
      notes: notes.map(({ pitch, onset, end }) => [pitch, onset, end]),
      repeats: earlier_equal(tokens),
      low: low ?? bottom,
      high: high ?? top,
    };
  }

  tvae.melody = {
    TvaeError,
    SILENCE,
    SUSTAIN,
    FIRST_PITCH,
    LOWEST,
    HIGHEST,
    STATES,
    BARS,
    STEPS,
    PIECE,
    OCTAVES,
    quantise,
    one_voice,
    notes_to_tokens,
    tokens_to_notes,
    canonical,
    is_valid,
    transpose,
    bars,
    equal_bars,
    earlier_equal,
    to_text,
    from_text,
    pitch_name,
    pitch_range,
    describe,
    piece,
  };
})();
