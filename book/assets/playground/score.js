/* tvae.score: a piece as ABC notation, the text that abcjs draws as a staff. Plain JavaScript.

   A place on the *line of fifths* names a note without its octave: ... F C G D A E B F♯ ..., with C at 0. A key is the
   place of its major tonic: -1 is F major or D minor. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});
  const { melody } = tvae;
  const { STEPS, PIECE } = melody;

  const KEYS = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6]; // the plainest first
  const NAMES = {
    0: "C",
    1: "G",
    2: "D",
    3: "A",
    4: "E",
    5: "B",
    6: "F#",
    [-1]: "F",
    [-2]: "Bb",
    [-3]: "Eb",
    [-4]: "Ab",
    [-5]: "Db",
  };
  const LETTERS = "FCGDAEB";
  const BASS = 54; // a melody whose mean pitch is below is written in the bass clef
  const mod = (a, b) => ((a % b) + b) % b;

  /** A MIDI pitch in a key -> its place on the line of fifths: the scale, and around it what is usual, from the minor
      third to the raised fifth. */
  const spelt = (pitch, key) => key - 3 + mod(7 * pitch - (key - 3), 12);

  /** Notes -> the key with the fewest notes outside its scale; of several one that the last note is tonic of, in major
      or minor. */
  function keyOf(notes) {
    const last = notes.at(-1)?.pitch ?? 60;
    const cost = (key) => {
      const outside = notes.filter(({ pitch }) => mod(7 * pitch - key + 1, 12) > 6).length;
      return 2 * outside + ![0, 3].includes(mod(7 * last - key, 12));
    };
    return KEYS.reduce((best, key) => (cost(key) < cost(best) ? key : best));
  }

  /** Does a note of so many steps show the beats, if it begins at this step of a bar? */
  const written = (step, length) =>
    [[1, 2, 3, 4, 6, 8, 12, 16], [1, 2, 3], [1, 2, 4], [1]][step % 4].includes(length) && step + length <= STEPS;

  /** Steps onset ... end -> the lengths that are written, tied: none crosses a bar line. */
  function lengths(onset, end) {
    const found = [];
    for (let at = onset; at < end; at += found.at(-1)) {
      let length = Math.min(end - at, STEPS);
      while (!written(at % STEPS, length)) length -= 1;
      found.push(length);
    }
    return found;
  }

  /** A writer of pitches: an accidental is written where a note differs from what stands before it in its bar, or in
      the key. */
  function speller(key) {
    const signature = (letter) => Math.floor((key + 6 - LETTERS.indexOf(letter)) / 7);
    let bar = {}; // letter and octave -> the accidental that was written
    return {
      newBar: () => (bar = {}),
      write(pitch, tied) {
        const place = spelt(pitch, key),
          letter = LETTERS[mod(place + 1, 7)],
          sharps = Math.floor((place + 1) / 7);
        const octave = Math.floor((pitch - sharps) / 12) - 5; // 0: from middle C
        const name = `${letter}${octave}`;
        const known = tied ? sharps : (bar[name] ?? signature(letter)); // a tie brings it along, for itself alone
        const sign = sharps === known ? "" : sharps === 0 ? "=" : (sharps < 0 ? "_" : "^").repeat(Math.abs(sharps));
        if (!tied) bar[name] = sharps;
        return sign + (octave > 0 ? letter.toLowerCase() + "'".repeat(octave - 1) : letter + ",".repeat(-octave));
      },
    };
  }

  /** Tokens -> {abc, heads}: the text, with so many bars a line, and for each note head in it which of the piece's
      notes it is. */
  function score(tokens, barsPerLine = 4) {
    const notes = melody.tokens_to_notes(tokens),
      key = keyOf(notes),
      { write, newBar } = speller(key);
    const mean = notes.reduce((sum, { pitch }) => sum + pitch, 0) / notes.length;
    const starts = [...new Set(notes.flatMap(({ onset, end }) => [onset, end]).concat(0, PIECE))].sort((a, b) => a - b);
    const heads = [];
    let music = "";
    starts.slice(0, -1).forEach((onset, k) => {
      const number = notes.findIndex((note) => note.onset === onset),
        all = lengths(onset, starts[k + 1]);
      let at = onset;
      all.forEach((length, part) => {
        if (at % STEPS === 0) newBar();
        music +=
          number < 0
            ? `z${length}`
            : `${write(notes[number].pitch, part > 0)}${length}${part < all.length - 1 ? "-" : ""}`;
        if (number >= 0) heads.push(number);
        at += length;
        if (at === PIECE) music += "|]";
        else if (at % STEPS === 0) music += (at / STEPS) % barsPerLine ? "|" : "|\n";
        else if (at % 4 === 0) music += " "; // beams end with the beat
      });
    });
    const clef = mean < BASS ? "bass" : "treble";
    return { abc: `X:1\nM:4/4\nL:1/16\nK:${NAMES[key]} clef=${clef}\n${music}\n`, heads };
  }

  tvae.score = { keyOf, lengths, score };
})();
