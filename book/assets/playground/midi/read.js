/* From a MIDI file to melodies of 8 bars: which part, which bars, and what was done to them: tvae/midi/read.py, name
   for name, with `strip` for the page besides. */
(() => {
  "use strict";
  const {
    midi,
    midi: { bars_of, bisect },
    melody,
  } = globalThis.tvae;
  const { BARS, HIGHEST, LOWEST, OCTAVES, PIECE, STEPS, TvaeError, notes_to_tokens } = melody;

  const UPBEAT = STEPS / 2; // steps: a bar whose music begins so late, or later, holds an upbeat
  const MOST_EMPTY = 3; // of 8 bars may be silent, before a later bar is taken for the first
  const MOST_BARS = 4096; // that a strip shows

  /** To so many digits, halves to the even one. */
  function round(x, digits = 0) {
    const up = Number(x.toFixed(digits)),
      unit = 10 ** -digits;
    const half = (2 ** (digits + 1) * x) % 2 === 1;
    return half && Math.round(up / unit) % 2 ? Number((up - unit).toFixed(digits)) : up;
  }

  /** A MIDI file with its parts. `data` are its bytes, `path` its name in sentences. Throws TvaeError, saying what to
      do, if it cannot be read.

      `parts` lists what has notes: {number, name, instrument, notes, lowest, highest, percussion}. Where a method takes
      {track, start}, these are the number or name of a part, and the number of the bar to begin with; what is not given
      is chosen as a musician would. */
  class File {
    constructor(data, path) {
      this.path = path;
      this.song = midi.parse(data, path);
      this.names = midi.decode(this.song.tracks.map(({ name }) => name));
      this.voices = midi.voices(this.song, this.names);
      this.tempos = this.song.tracks.flatMap(({ tempos }) => tempos).sort((a, b) => a[0] - b[0]);
      this.end = midi.highest(this.song.tracks.map(({ end }) => end));
    }

    get parts() {
      return this.voices.map(({ part }) => part);
    }

    /** 8 bars: {tokens, track, tempo, semitones, notices, part, start}: valid tokens, the name of the part they were
        taken from, quarter notes a minute where they begin, octaves moved (pitch in the file + semitones = pitch in the
        tokens), a sentence for whatever was chosen or changed, the number of the part, the bar they begin with. */
    read({ track, start } = {}) {
      const [voice, notices] = this.choice(track);
      if (!voice) {
        const track = this.names.at(-1) || `track ${this.names.length}`;
        return {
          tokens: new Uint8Array(PIECE),
          track,
          tempo: this._tempo(0),
          semitones: 0,
          notices,
          part: 1,
          start: 1,
        };
      }
      const taken = midi.take(this.song, this.voices, voice);
      const [k, first, placed] = start === undefined ? this.first(taken) : this._at(taken, start);
      return this._piece(voice, taken, k, first, [...notices, ...taken.notices, ...placed]);
    }

    /** The whole part from there on, 8 bars after 8 bars; only pieces with music, as `read` gives the first. */
    pieces({ track, start } = {}) {
      const [voice, notices] = this.choice(track);
      if (!voice) return [];
      const taken = midi.take(this.song, this.voices, voice);
      const [begin, first] = start === undefined ? this.first(taken) : this._at(taken, start);
      return taken.stretches.flatMap((stretch, k) => {
        const notes = taken.notes[k];
        if (k < begin || !stretch.usable || !notes.length) return [];
        const origin = k === begin ? first : Math.floor(notes[0].onset / STEPS);
        const bars = [
          ...new Set(notes.map(({ onset }) => origin + Math.floor((Math.floor(onset / STEPS) - origin) / BARS) * BARS)),
        ];
        return bars
          .filter((bar) => bar >= origin && bar + BARS <= bars_of(stretch))
          .map((bar) => this._piece(voice, taken, k, bar, [...notices, ...taken.notices]));
      });
    }

    /** A whole part, to be drawn with 16 steps for each of its bars, also where bars are shorter: {part, notes:
        [{pitch, onset, end}], bars: [{number, usable}]}: notes in steps from the first of these bars on; a bar is
        usable if `read` can begin with it. */
    strip(track) {
      const [voice] = this.choice(track),
        notes = [],
        bars = [];
      if (!voice) return { part: null, notes, bars };
      const { stretches, notes: found } = midi.take(this.song, this.voices, voice),
        filled = found.findLastIndex((list) => list.length);
      stretches.slice(0, filled + 1).forEach((stretch, k) => {
        const length = stretch.bar / (4 * this.song.quarter); // steps of a bar, perhaps not a whole number
        const first = k ? 0 : Math.min(Math.floor((found[0][0]?.onset ?? 0) / length), 0); // an upbeat before bar 1
        const many = k === filled ? Math.ceil(found[k].at(-1).end / length) : bars_of(stretch),
          begun = new Set();
        const place = (step) => {
          // of a step in the stretch, on the strip
          const bar = Math.floor(step / length);
          return STEPS * (bars_before + bar - first) + Math.round(step - bar * length);
        };
        const bars_before = bars.length;
        for (const { pitch, onset, end } of found[k]) {
          begun.add(Math.floor(onset / length));
          if (place(onset) < STEPS * MOST_BARS)
            notes.push({ pitch, onset: place(onset), end: Math.max(place(end), place(onset) + 1) });
        }
        for (let bar = first; bar < many && bars.length < MOST_BARS; bar++) {
          const sounds = Array.from({ length: BARS }, (_, more) => begun.has(bar + more)).some(Boolean);
          bars.push({ number: stretch.number + bar, usable: stretch.usable && sounds });
        }
      });
      return { part: voice.part, notes, bars };
    }

    /** The voice that was asked for, or has the melody, and notices; null for a silent piece that `write_midi`
        wrote. */
    choice(track) {
      const notices = [],
        { missing, tracks } = this.song;
      if (missing) notices.push(`The file ends before ${missing} of its ${tracks.length + missing} tracks.`);
      if (track !== undefined) return [this._asked_for(track), notices];
      const candidates = this.voices.filter(({ part }) => !part.percussion);
      if (!candidates.length) {
        if (this.voices.length) {
          throw new TvaeError(`'${this.path}' has only percussion (channel 10); put the melody on another channel.`);
        }
        if (tracks.some(({ marked }) => marked)) return [null, notices];
        throw new TvaeError(`'${this.path}' has no notes; choose a file that has a melody.`);
      }
      const [voice, why] = midi.choose(this.song, candidates);
      if (candidates.length > 1) {
        const place = `part ${voice.part.number} of ${this.voices.length}`;
        notices.push(`Several parts: the melody was taken from '${voice.part.name}' (${place}), ${why}.`);
      }
      return [voice, notices];
    }

    _asked_for(track) {
      const asked = String(track).trim().toLowerCase();
      const matches = [
        (part) => part.name.toLowerCase() === asked,
        (part) => String(part.number) === asked,
        (part) => asked && part.name.toLowerCase().includes(asked),
      ];
      for (const fits of matches) {
        const found = this.voices.find(({ part }) => fits(part));
        if (found) return found;
      }
      const listed =
        this.parts
          .slice(0, 5)
          .map(({ number, name }) => `${number} '${[...name].slice(0, 24).join("")}'`)
          .join(", ") || "none";
      const more = this.voices.length > 5 ? `, and ${this.voices.length - 5} more` : "";
      throw new TvaeError(
        `'${this.path}' has no part '${String(track).slice(0, 40)}'; its parts are ${listed}${more}.`,
      );
    }

    /** -> which stretch, the bar of it (from 0) with which the piece begins, and notices. */
    first({ stretches, notes }) {
      let foreign;
      const filled = notes.findLastIndex((list) => list.length);
      for (const [k, stretch] of stretches.entries()) {
        if (!notes[k].length) continue;
        if (!stretch.usable) {
          foreign ??= stretch;
          continue;
        }
        let [first, notices] = this._begin(notes[k], stretch);
        if (bars_of(stretch) - first >= BARS || k === filled) {
          const bar = stretch.number + first;
          if (k && bar > 1 && !notices.length)
            notices = [`The melody was taken from bar ${bar} on, where bars are of four quarters.`];
          if (k && stretch.number === 1 && notes[0].length)
            notices = ["The upbeat before bar 1 was left out.", ...notices];
          return [k, first, notices];
        }
        foreign ??= stretches[k + 1];
      }
      const what = foreign.usable ? "has a bar of another length just before it goes on" : `is in ${foreign.meter}`;
      throw new TvaeError(
        `'${this.path}' ${what} from bar ${foreign.number}, and only 4/4 can be used; ` +
          "choose 8 bars in 4/4 and export them alone.",
      );
    }

    /** The bar (from 0) of a stretch with which its melody begins, and notices. */
    _begin(notes, { start, number }) {
      const last = notes.at(-1).end;
      // its track may end later
      const end = Math.ceil(Math.max(last, (4 * (this.end - start)) / this.song.quarter) / STEPS);
      if (notes[0].onset >= 0 && last <= PIECE) {
        return [
          0,
          end < BARS ? [`The file ends in bar ${end + number - 1}: it was padded with silence to 8 bars.`] : [],
        ];
      }
      const bar_of = ({ onset }) => Math.floor(onset / STEPS),
        starts = [...new Set(notes.map(bar_of))],
        filled = new Set();
      for (const note of notes) {
        for (let bar = bar_of(note); bar < Math.ceil(Math.min(note.end, note.onset + PIECE) / STEPS); bar++)
          filled.add(bar);
      }
      const sounding = (bar) => Array.from({ length: BARS }, (_, k) => filled.has(bar + k)).filter(Boolean).length;
      let first = starts.find((bar) => sounding(bar) >= BARS - MOST_EMPTY) ?? starts[0];
      const begins = notes.find((note) => bar_of(note) === first).onset,
        notices = [];
      if (begins - first * STEPS >= UPBEAT && notes.at(-1).onset >= (first + 1) * STEPS) {
        notices.push(`The upbeat in bar ${first + number} was left out.`);
        first += 1;
      } else if (first > 0) {
        notices.push(`The melody begins in bar ${first + number}: the bars before it were skipped.`);
      }
      if (last > (first + BARS) * STEPS) {
        notices.push(`The melody goes on to bar ${Math.ceil(last / STEPS) + number - 1}: it was cut to 8 bars.`);
      }
      return [first, notices];
    }

    /** As `first`, for the bar that was asked for. */
    _at({ stretches, notes }, start) {
      if (!Number.isInteger(start))
        throw new TvaeError(`A piece begins with a bar, by its number: 1, 2, 3 ..., not '${start}'.`);
      for (const [k, stretch] of stretches.entries()) {
        const first = start - stretch.number,
          lowest = k || !notes[k].length ? 0 : Math.min(Math.floor(notes[k][0].onset / STEPS), 0);
        if (first < lowest || first >= bars_of(stretch)) continue;
        if (!stretch.usable)
          throw new TvaeError(`'${this.path}' is in ${stretch.meter} in bar ${start}, and only 4/4 can be used.`);
        if (!notes[k].some(({ onset }) => onset >= first * STEPS && onset < (first + BARS) * STEPS)) break;
        return [k, first, []];
      }
      throw new TvaeError(
        `'${this.path}' has no note of this part in the 8 bars from bar ${start} on; choose another start.`,
      );
    }

    _piece(voice, { stretches, notes, shift }, k, first, notices) {
      const stretch = stretches[k],
        begin = first * STEPS,
        length = Math.min(PIECE, (bars_of(stretch) - first) * STEPS);
      const [from, high] = [begin, begin + length].map((at) => bisect(notes[k], at, ({ onset }) => onset));
      // what is held over the bar line is struck again there
      const low = from && notes[k][from - 1].end > begin ? from - 1 : from;
      const inside = notes[k].slice(low, high).map(({ pitch, onset, end }) => ({
        pitch,
        onset: Math.max(onset - begin, 0),
        end: Math.min(end - begin, length),
      }));
      const [moved, semitones, said] = _into_range(inside);
      const tick = shift + stretch.start + Math.floor((begin * this.song.quarter + 2) / 4);
      return {
        tokens: notes_to_tokens(moved),
        track: voice.part.name,
        tempo: this._tempo(tick),
        semitones,
        notices: [...notices, ...said],
        part: voice.part.number,
        start: first + stretch.number,
      };
    }

    /** Quarter notes a minute at this tick, or half a sixteenth after it. */
    _tempo(tick) {
      const at = bisect(this.tempos, 8 * tick + this.song.quarter, (tempo) => 8 * tempo[0]);
      return round(60e6 / (at ? this.tempos[at - 1][1] : 500_000), 2);
    }
  }

  /** -> the notes moved by the octaves that bring most of them into range, the semitones, and notices. */
  function _into_range(notes) {
    const inside = (shift) => notes.filter(({ pitch }) => pitch + shift >= LOWEST && pitch + shift <= HIGHEST).length;
    const semitones = OCTAVES.reduce((a, b) => (inside(b) > inside(a) ? b : a)); // of equals the first: the smallest
    const notices = [],
      lost = notes.length - inside(semitones);
    if (semitones) {
      const signed = `${semitones > 0 ? "+" : ""}${semitones}`;
      notices.push(`The melody was moved by ${signed} semitones, into the range from E2 to C6.`);
    }
    if (lost) notices.push(`${lost} of ${notes.length} notes lie outside the range from E2 to C6: they were silenced.`);
    return [notes.map(({ pitch, onset, end }) => ({ pitch: pitch + semitones, onset, end })), semitones, notices];
  }

  /** The melody in anybody's MIDI file: see `File` and its `read`. */
  const read_midi = (data, path, choice) => new File(data, path).read(choice);

  Object.assign(midi, { File, read_midi, round });
})();
