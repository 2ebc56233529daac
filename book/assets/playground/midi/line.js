/* From the notes of a part to one line on the grid of sixteenths: the top line, its ornaments, its short notes:
   tvae/midi/line.py, name for name. A note in ticks is [onset, end, pitch]. */
(() => {
  "use strict";
  const { midi } = globalThis.tvae;

  const TWO_HANDS = 10; // semitones between the middle of the melody and that of its accompaniment in the same part

  /** The highest sounding note at each time, of notes in time; `step` is a sixteenth in ticks.

      A lower note cuts a higher one only where it outlasts it, and both overlap by no more than a sixteenth or half of
      the lower one: legato. In its rests, a line that lies well above its accompaniment is silent. */
  function top_line(notes, step) {
    const line = [],
      under = [];
    const alone = []; // does the note have the part for itself?
    for (const [onset, end, pitch] of [...notes].sort((a, b) => a[0] - b[0] || b[2] - a[2] || a[1] - b[1])) {
      const last = line.length - 1;
      if (last >= 0) {
        const [last_onset, last_end, last_pitch] = line[last];
        const both = Math.min(last_end, end) - onset;
        // A chord, perhaps a rolled one.
        const together = onset - last_onset <= Math.floor(step / 2) && (both > 0 || onset === last_onset);
        const lower = pitch < last_pitch && (end <= last_end || (both > step && 2 * both > end - onset));
        if (lower || (together && pitch <= last_pitch)) {
          under.push(pitch);
          alone[last] = false;
          continue;
        }
        if (both > 0) {
          if (together) {
            // what stands there is a lower note of the chord
            under.push(last_pitch);
            [line[last], alone[last]] = [[last_onset, end, pitch], false];
            continue;
          }
          alone[last] &&= both <= step;
          line[last] = [last_onset, onset, last_pitch];
        }
      }
      line.push([onset, end, pitch]);
      alone.push(true);
    }
    const tops = line.filter((_, k) => !alone[k]).map((note) => note[2]);
    if (!under.length || tops.length * 4 < line.length || _middle(tops) - _middle(under) < TWO_HANDS) return line;
    const between = _middle(tops) + _middle(under); // twice the pitch between the two
    return line.filter((note, k) => !(alone[k] && 2 * note[2] < between));
  }

  /** The lower median. */
  const _middle = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

  /** Grace notes, turns and trills -> the main note alone.

      Notes that the next one follows within three quarters of a sixteenth, and that together last less than an eighth,
      give way to the note that they lead to, where it is longer than twice all of them: it begins where they did, or
      where it does, on the stronger step. At least four of them, to and fro between two neighbours, are a trill: one
      note of the lower pitch, or of the main note that they end on. */
  function without_ornaments(line, step) {
    const found = [];
    let run = [];
    line.forEach((note, k) => {
      const following = line[k + 1];
      if (following && 4 * (following[0] - note[0]) < 3 * step) {
        run.push(note);
        return;
      }
      const [onset, end, pitch] = note,
        first = run[0]?.[0];
      let main = note;
      if (_is_trill(run)) {
        const pair = [run[0][2], run[1][2]];
        if (pair.includes(pitch)) main = [first, end, pitch];
        else found.push([first, onset, Math.min(...pair)]);
      } else if (
        run.length &&
        onset - first < 2 * step &&
        end - onset > 2 * (onset - first) &&
        run.at(-1)[2] !== pitch
      ) {
        main = [_stronger(first, onset, step), end, pitch];
      } else {
        for (const short of run) found.push(short);
      }
      found.push(main);
      run = [];
    });
    return found;
  }

  function _is_trill(run) {
    const pitches = run.map((note) => note[2]);
    return (
      run.length >= 4 &&
      new Set(pitches).size === 2 &&
      Math.abs(pitches[0] - pitches[1]) <= 2 &&
      pitches.every((pitch, k) => !k || pitch !== pitches[k - 1])
    );
  }

  /** Which of two ticks lies on the stronger sixteenth: the one that more powers of two divide, else the second. */
  function _stronger(a, b, step) {
    const [first, second] = [a, b].map((tick) => _power(Math.floor((2 * tick + step) / (2 * step))));
    return first > second ? a : b;
  }

  /** The greatest power of two that divides a number; 16 for 0. */
  function _power(number) {
    let power = 1;
    while (number && number % (2 * power) === 0) power *= 2;
    return number ? power : 16;
  }

  /** A line in ticks, each `shift` too late -> its notes {pitch, onset, end} on the nearest sixteenths, and how many
      notes found no room.

      A note lasts at least one step. Of several on one step the longest stays, of equals the first. */
  function on_grid(line, quarter, shift) {
    const nearest = (tick) => Math.floor((8 * (tick - shift) + quarter) / (2 * quarter)); // halves go up
    const groups = [];
    for (const note of line) {
      const step = nearest(note[0]),
        last = groups.at(-1);
      if (last?.step === step) last.notes.push(note);
      else groups.push({ step, notes: [note] });
    }
    let lost = 0;
    const notes = groups.map(({ step, notes: group }) => {
      const [, end, pitch] = group.reduce((a, b) => (b[1] - b[0] > a[1] - a[0] ? b : a));
      lost += group.length - 1;
      return { pitch, onset: step, end: Math.max(nearest(end), step + 1) };
    });
    notes.forEach((note, k) => {
      note.end = Math.min(note.end, notes[k + 1]?.onset ?? Infinity);
    });
    return [notes, lost];
  }

  Object.assign(midi, { on_grid, top_line, without_ornaments });
})();
