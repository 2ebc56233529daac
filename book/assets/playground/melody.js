/* What a melody is, and the way from MIDI to there and back: tvae/melody.py, name for name, in its order, for one piece at a time.

   A piece is a Uint8Array of 8 bars of 16 steps, each step a token: 0 silence, 1 sustain, 2 ... 46 a note begins, MIDI pitch 40 (E2)
   ... 84 (C6). A note is {pitch, onset, end}: MIDI pitch, first step, and the step it ends before. Plain JavaScript: it runs in a
   page, in a worker and in any engine; MIDI files need midi-file/ besides. tests/test_playground_melody.py holds all of it, with every
   sentence for a bad file, against Python's. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});

  class TvaeError extends Error {} // one sentence, for whatever a user can get wrong

  // --- what Python brings

  const highest = (values) => values.reduce((a, b) => Math.max(a, b), 0); // (Math.max takes only so many at once)
  const best = (list, key) => list.reduce((a, b) => (key(b) > key(a) ? b : a)); // of equals the first
  const mean = (values) => values.reduce((a, b) => a + b) / values.length;

  /** To so many digits, halves to the even one. */
  function round(x, digits = 0) {
    const up = Number(x.toFixed(digits)), unit = 10 ** -digits;
    const half = (2 ** (digits + 1) * x) % 2 === 1;
    return half && Math.round(up / unit) % 2 ? Number((up - unit).toFixed(digits)) : up;
  }

  const latin = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const hexadecimal = (byte) => byte.toString(16).padStart(2, "0");
  const from_utf8 = (bytes) => decodeURIComponent(Array.from(bytes, (byte) => `%${hexadecimal(byte)}`).join("")); // throws where they are none
  const to_utf8 = (text) => encodeURIComponent(text).replace(/%(..)/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));

  function strip(text, filling) {
    let start = 0, end = text.length;
    while (start < end && filling.includes(text[start])) start += 1;
    while (end > start && filling.includes(text[end - 1])) end -= 1;
    return text.slice(start, end);
  }

  // --- tokens

  const SILENCE = 0, SUSTAIN = 1, FIRST_PITCH = 2;
  const LOWEST = 40, HIGHEST = 84; // MIDI pitches
  const STATES = FIRST_PITCH + HIGHEST - LOWEST + 1; // 47
  const BARS = 8, STEPS = 16;
  const PIECE = BARS * STEPS; // 128 steps
  const OCTAVES = [0, ...Array.from({ length: 10 }, (_, k) => [-12 * (k + 1), 12 * (k + 1)]).flat()]; // semitones, the smallest move first

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

      Notes outside the 45 pitches become silence; what lies outside the steps 0 ... length - 1 is cut off, and a note that starts
      before step 0 is left out. */
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
    return canonical(tokens.map((token) => {
      if (token < FIRST_PITCH) return token;
      const moved = token + semitones;
      return moved >= FIRST_PITCH && moved < STATES ? moved : SILENCE;
    }));
  }

  /** A piece -> its 8 bars, of 16 tokens each. */
  function bars(tokens) {
    return Array.from({ length: tokens.length / STEPS }, (_, bar) => tokens.subarray(bar * STEPS, (bar + 1) * STEPS));
  }

  /** (8, 8) booleans: are bars i and j the same, token for token? A bar without an onset equals nothing. */
  function equal_bars(tokens) {
    const x = bars(tokens);
    return x.map((one) => x.map((other) => // else bars that hold different notes would be equal
      one.some((token) => token >= FIRST_PITCH) && one.every((token, step) => token === other[step])));
  }

  /** The first earlier bar (0 ... 6) that each bar repeats, -1 where it is new. */
  function earlier_equal(tokens) {
    return equal_bars(tokens).map((same, bar) => same.slice(0, bar).indexOf(true));
  }

  // --- from tokens to MIDI

  const TICKS = 480; // a quarter note
  const END_OF_PIECE = "end of tvae piece"; // a text event: a file knows its length even where the music ends in silence

  /** The bytes of a MIDI file, the same as Python writes: one track of that name in 4/4; `tempo` in quarter notes a minute, `program` a
      General MIDI number. `read_midi` gives the tokens back.

      Throws TvaeError for tokens that are no states, a tempo outside 4 ... 1000, a program outside 0 ... 127. */
  function write_midi(tokens, { tempo = 120, name = "melody", program = 0 } = {}) {
    if (tokens.some((token) => token >= STATES)) {
      throw new TvaeError(`Tokens are states 0 to ${STATES - 1}; these go from ${Math.min(...tokens)} to ${Math.max(...tokens)}.`);
    }
    if (!(tempo >= 4 && tempo <= 1000)) {
      throw new TvaeError(`A tempo of ${tempo} quarter notes a minute cannot be written; choose one from 4 to 1000.`);
    }
    if (!(Number.isInteger(program) && program >= 0 && program < 128)) {
      throw new TvaeError(`There is no General MIDI program ${program}; choose one from 0 to 127.`);
    }
    const step = TICKS / 4, channel = 0;
    const notes = tokens_to_notes(tokens).flatMap(({ pitch: noteNumber, onset, end }) => [
      { tick: onset * step, type: "noteOn", channel, noteNumber, velocity: 100 },
      { tick: end * step, type: "noteOn", channel, noteNumber, velocity: 0 }, // ends it
    ]).sort((a, b) => a.tick - b.tick || a.noteNumber - b.noteNumber || a.velocity - b.velocity);
    const timing = [
      { tick: 0, type: "setTempo", microsecondsPerBeat: round(60e6 / tempo) },
      { tick: 0, type: "timeSignature", numerator: 4, denominator: 4, metronome: 24, thirtyseconds: 8 },
      { tick: tokens.length * step, type: "text", text: END_OF_PIECE },
    ];
    const track = [
      ...(name ? [{ tick: 0, type: "trackName", text: to_utf8(name) }] : []),
      { tick: 0, type: "programChange", channel, programNumber: program },
      ...notes,
    ];
    const events = (list) => {
      const { tick } = list.at(-1);
      return [...list, { tick: tick + 1, type: "endOfTrack" }]
        .map((event, k, all) => ({ ...event, deltaTime: event.tick - (all[k - 1]?.tick ?? 0) }));
    };
    const midi = { header: { format: 1, ticksPerBeat: TICKS }, tracks: [events(timing), events(track)] };
    return Uint8Array.from(writeMidi(midi, { running: true }));
  }

  // --- from MIDI to tokens

  const MOST_BYTES = 300_000; // keeps the worst file under two seconds; the MIDI of a whole song has a tenth of this
  const LONGEST_DELTA = 2 ** 28 - 1; // ticks; the format allows four bytes of seven bits
  const PERCUSSION = 9; // channel 10, as musicians count
  const MELODY_NAMES = [/m[eé]lod|旋律|멜로디|メロディ/iu, /voice|vocal|vox/iu, /(?<![\p{L}\p{N}_])lead(?![\p{L}\p{N}_])/iu]; // the best first
  const MOSTLY = 0.8; // "mostly monophonic": so many of the notes leave the one before them alone
  const METERS = ["4/4", "2/2"]; // bars of 16 sixteenths
  const part_of = (number, channel) => 16 * number + channel; // track, from 1, and channel, from 0

  /** The melody in anybody's MIDI file: 8 bars in 4/4, onsets and ends at the nearest sixteenth. `data` are its bytes, `path` its name.

      - Of several parts: the one named melody, voice or lead, else the highest mostly monophonic one; never percussion.
      - A later note cuts an earlier one, of a chord the highest note stays; no note is shorter than a sixteenth.
      - Up to 8 bars are taken as they stand and padded with silence; of more, 8 from the bar with the first note on.
      - Moved by octaves where that brings more notes into MIDI 40 ... 84; notes still outside become silence.

      -> {tokens, track, tempo, semitones, notices}: valid tokens, the name of the part they were taken from, quarter notes a minute
      where it begins, octaves moved (pitch in the file + semitones = pitch in the tokens), and a sentence for whatever was chosen or
      changed. Throws TvaeError, saying what to do, if there is no such melody. */
  function read_midi(data, path) {
    const midi = _parse(data, path);
    const [parts, names, marks] = _scan(midi);
    const [part, chosen] = _choose(path, parts, names, marks);
    const notes = parts.get(part) ?? [];
    const [start, stop, placed] = _window(notes, marks);
    _check_meter(path, marks, stop);
    const tempos = marks.filter(([step, mark]) => mark.type === "set_tempo" && step <= start).map(([, mark]) => mark.tempo);
    const tempo = tempos.at(-1) ?? 500_000;
    if (tempo === 0) {
      throw new TvaeError(`'${path}' has beats of 0 microseconds; set a tempo in a MIDI editor and export it again.`);
    }
    const used = notes.filter(({ onset }) => onset < stop);
    const line = one_voice(used.map(({ pitch, onset, end }) => ({ pitch, onset: onset - start, end: end - start })));
    const [fitting, semitones, moved] = _into_range(line);

    const notices = [...chosen, ...placed, ...moved];
    return { tokens: notes_to_tokens(fitting), track: _label(part, parts, names), tempo: round(60e6 / tempo, 2), semitones, notices };
  }

  /** The file's messages, of type 0 or 1 with ticks per quarter note; TvaeError for anything else. */
  function _parse(data, path) {
    if (data.length > MOST_BYTES) {
      throw new TvaeError(`'${path}' is larger than ${MOST_BYTES / 1000} kB; export the melody alone.`);
    }
    if (latin(data.subarray(0, 4)) !== "MThd") {
      throw new TvaeError(`'${path}' is not a MIDI file; export the melody as a standard MIDI file (.mid).`);
    }
    const damaged = new TvaeError(`'${path}' is a damaged MIDI file; open it in a MIDI editor and export it again.`);
    let midi;
    try {
      midi = parseMidi(_checked(data));
    } catch {
      throw damaged;
    }
    const { format, ticksPerBeat } = midi.header;
    if (format === 2) {
      throw new TvaeError(`'${path}' holds independent patterns (MIDI type 2); export one of them as type 0 or 1.`);
    }
    if (ticksPerBeat === undefined) {
      throw new TvaeError(`'${path}' counts in film frames (SMPTE), not in beats; export it with ticks per quarter note.`);
    }
    if (format > 2 || ticksPerBeat === 0) throw damaged;
    return { ticks_per_beat: ticksPerBeat, tracks: midi.tracks.map((track) => track.map(_message)) };
  }

  const DATA_BYTES = { 0x8: 2, 0x9: 2, 0xa: 2, 0xb: 2, 0xc: 1, 0xd: 1, 0xe: 2 }; // of a channel's messages, by the first half of the status
  const META_DATA = { // what mido wants of a meta message's data; of other kinds nothing
    0x00: (data) => data.length !== 1, // a number
    0x20: (data) => data.length >= 1, // a channel
    0x51: (data) => data.length >= 3, // tempo
    0x54: (data) => data.length >= 5 && data[0] < 128 && data[1] < 60 && data[2] < 60 && data[4] < 100, // a time in film frames
    0x58: (data) => data.length >= 4, // meter
    0x59: (data) => data.length >= 2 && (data[0] < 8 || data[0] > 248) && data[1] < 2, // key: up to 7 sharps or flats
  };
  const NOBODYS = 0x80; // no kind of meta message is defined from here on

  /** The file's bytes, up to the end of the tracks it says it has, for midi-file to read as mido would; throws where mido would.

      midi-file forgives what mido does not, so all bytes are looked at before it. Of meta messages it knows, it refuses lengths that occur, wraps
      units over 2**31 and cannot take long texts; so it gets them as kinds that it does not know, and hands their bytes on. */
  function _checked(data) {
    const bytes = data.slice();
    let at = 0;
    function check(fine) {
      if (!fine) throw new RangeError("damaged");
    }
    function take(length) {
      check(at + length <= bytes.length);
      return bytes.subarray(at, (at += length));
    }
    const number = (length) => take(length).reduce((value, byte) => 256 * value + byte, 0);
    function variable_number() {
      let value = 0;
      for (;;) {
        const [byte] = take(1);
        value = 128 * value + (byte & 127);
        if (byte < 128) return value;
      }
    }

    let over = 0; // bytes over 127 in a row: read_midi in Python keeps such numbers from mido
    check(!bytes.some((byte) => (over = byte > 127 ? over + 1 : 0) === 1000));
    take(4); // MThd
    const size = number(4), [, , high, low] = take(6);
    check(size >= 6);
    at = 8 + size;
    const tracks = high < 128 ? 256 * high + low : 0; // mido has it signed
    for (let track = 0; track < tracks; track++) {
      check(latin(take(4)) === "MTrk");
      const length = number(4), end = at + length;
      let running = 0; // the status that may be left out
      while (at < end) {
        check(variable_number() <= LONGEST_DELTA);
        let [status] = take(1);
        if (status < 0x80) {
          status = running;
          at -= 1;
        } else if (status !== 0xff) {
          running = status < 0xf0 ? status : 0;
        }
        if (status === 0xff) {
          const kind = take(1), content = take(variable_number());
          check(META_DATA[kind[0]]?.(content) ?? true);
          kind[0] = kind[0] < NOBODYS ? kind[0] + NOBODYS : 0x7f;
        } else if (status === 0xf0 || status === 0xf7) {
          const content = take(variable_number()), last = content.length - 1;
          check(content.every((byte, k) => byte < 128 || (k === 0 && byte === 0xf0) || (k === last && byte === 0xf7)));
        } else {
          check(status >> 4 in DATA_BYTES);
          check(take(DATA_BYTES[status >> 4]).every((byte) => byte < 128));
        }
      }
      check(at === end);
    }
    return bytes.subarray(0, at);
  }

  /** An event of midi-file -> a message as mido has it, but for texts, which stay bytes; time in ticks after the one before. */
  function _message({ deltaTime: time, type, meta: is_meta = false, channel, noteNumber: note, velocity, metatypeByte, data }) {
    if (type === "noteOn") return { time, is_meta, type: "note_on", channel, note, velocity };
    if (type === "noteOff") return { time, is_meta, type: "note_off", channel, note, velocity };
    switch (metatypeByte - NOBODYS) {
      case 0x01: return { time, is_meta, type: "text", text: data };
      case 0x03: return { time, is_meta, type: "track_name", name: data };
      case 0x51: return { time, is_meta, type: "set_tempo", tempo: 65536 * data[0] + 256 * data[1] + data[2] };
      case 0x58: return { time, is_meta, type: "time_signature", numerator: data[0], denominator: 2n ** BigInt(data[1]) };
      default: return { time, is_meta, type: "other" };
    }
  }

  /** -> each part's notes on the grid; names of tracks; the other meta messages with their steps, in time. */
  function _scan({ ticks_per_beat: quarter, tracks }) {
    const parts = new Map(), names = new Map(), marks = [];
    tracks.forEach((track, k) => {
      const number = k + 1;
      for (const [channel, pitch, onset, end] of _note_ticks(track)) {
        const part = part_of(number, channel);
        if (!parts.has(part)) parts.set(part, []);
        parts.get(part).push(quantise(pitch, (onset * 4) / quarter, (end * 4) / quarter));
      }
      let tick = 0;
      for (const message of track) {
        tick += message.time;
        if (message.type === "track_name") {
          names.set(number, strip(_text(message.name), " \t\r\n\0")); // some fill up with zeros
        } else if (message.is_meta) {
          marks.push([Math.floor((tick * 4) / quarter + 0.5), message]);
        }
      }
    });
    return [parts, names, marks.sort(([a], [b]) => a - b)];
  }

  /** Yield channel, pitch, first tick and last tick of every note; a note that is never ended ends with its track. */
  function* _note_ticks(track) {
    let tick = 0;
    const sounding = new Map(); // 128 * channel + pitch -> ticks of the onsets not yet ended
    for (const { time, type, channel, note } of track) {
      tick += time;
      const key = 128 * channel + note, onsets = sounding.get(key) ?? [];
      if (type === "note_on") {
        onsets.push(tick);
        sounding.set(key, onsets);
      } else if (type === "note_off") {
        sounding.delete(key);
        // A note-off does not end the note that begins on its tick, unless there is no other.
        const before = onsets.filter((onset) => onset < tick), ended = before.length ? before : onsets;
        for (const onset of ended) yield [channel, note, onset, tick];
        if (ended.length < onsets.length) sounding.set(key, [tick]);
      }
    }
    for (const [key, onsets] of sounding) for (const onset of onsets) yield [Math.floor(key / 128), key % 128, onset, tick];
  }

  /** Most programs write UTF-8, the others are taken for Latin-1. */
  function _text(bytes) {
    try {
      return from_utf8(bytes);
    } catch {
      return latin(bytes);
    }
  }

  function _label(part, parts, names) {
    const number = Math.floor(part / 16), channel = part % 16;
    const several = [...parts.keys()].filter((other) => Math.floor(other / 16) === number).length > 1;
    return (names.get(number) || `track ${number}`) + (several ? `, channel ${channel + 1}` : "");
  }

  /** -> the part that has the melody, and notices. */
  function _choose(path, parts, names, marks) {
    let candidates = [...parts.keys()].filter((part) => part % 16 !== PERCUSSION);
    if (!candidates.length) {
      if (parts.size) {
        throw new TvaeError(`'${path}' has only percussion (channel 10); put the melody on another channel.`);
      }
      if (marks.some(([, mark]) => mark.type === "text" && latin(mark.text) === END_OF_PIECE)) {
        return [part_of(2, 0), []]; // a silent piece that `write_midi` wrote
      }
      throw new TvaeError(`'${path}' has no notes; choose a file that has a melody.`);
    }
    const several = candidates.length > 1;
    let why = "the highest single line";
    for (const pattern of MELODY_NAMES) {
      const named = candidates.filter((part) => pattern.test(names.get(Math.floor(part / 16)) ?? ""));
      if (named.length) {
        [candidates, why] = [named, "by its name"];
        break;
      }
    }
    const single = candidates.filter((part) => _monophony(parts.get(part)) >= MOSTLY);
    if (single.length) candidates = single;
    const busy = highest(candidates.map((part) => parts.get(part).length)) / 4; // a few high notes of an effect are no melody
    const part = best(
      candidates.filter((part) => parts.get(part).length >= busy),
      (part) => mean(parts.get(part).map(({ pitch }) => pitch)),
    );
    const label = _label(part, parts, names), notices = [];
    if (several) {
      notices.push(`Several parts: the melody was taken from '${label}' (track ${Math.floor(part / 16)}), ${why}.`);
    }
    if (_monophony(parts.get(part)) < MOSTLY) {
      notices.push(`'${label}' is not a single line: of notes that start together the highest was kept.`);
    }
    return [part, notices];
  }

  /** The share of notes that start after the one before them, and overlap it by no more than a sixteenth. */
  function _monophony(notes) {
    const sorted = [...notes].sort((a, b) => a.onset - b.onset);
    const free = sorted.slice(1).map((b, k) => Number(b.onset > sorted[k].onset && b.onset >= sorted[k].end - 1));
    return free.length ? mean(free) : 1;
  }

  /** -> the steps to use, from the first to before the last, and notices. */
  function _window(notes, marks) {
    const last = highest(notes.map(({ end }) => end));
    const length = Math.max(last, highest(marks.map(([step]) => step))); // the end of a track may come after its last note
    const skip = last > PIECE ? Math.floor(notes.reduce((first, { onset }) => Math.min(first, onset), last) / STEPS) : 0;
    const stop = Math.min(last, skip * STEPS + PIECE);
    const notices = [];
    if (skip) notices.push(`The melody begins in bar ${skip + 1}: the silent bars before it were skipped.`);
    if (last > stop) notices.push(`The melody goes on to bar ${Math.ceil(last / STEPS)}: it was cut to 8 bars.`);
    if (length <= PIECE - STEPS) {
      notices.push(`The file ends in bar ${Math.ceil(length / STEPS)}: it was padded with silence to 8 bars.`);
    }
    return [skip * STEPS, stop, notices];
  }

  /** TvaeError for a meter with other bars anywhere before step `stop`; no time signature means 4/4. */
  function _check_meter(path, marks, stop) {
    const signatures = marks.filter(([, mark]) => mark.type === "time_signature");
    const meters = new Map(signatures.map(([step, mark]) => [step, `${mark.numerator}/${mark.denominator}`]));
    for (const [step, meter] of meters) {
      if (!METERS.includes(meter) && step < Math.max(stop, 1)) {
        throw new TvaeError(`'${path}' is in ${meter} from bar ${Math.floor(step / STEPS) + 1}, and only 4/4 can be used; ` +
          "choose 8 bars in 4/4 and export them alone.");
      }
    }
  }

  /** -> the notes moved by the octaves that bring most of them into range, the semitones, and notices. */
  function _into_range(line) {
    const inside = (shift) => line.filter(({ pitch }) => pitch + shift >= LOWEST && pitch + shift <= HIGHEST).length;
    const semitones = best(OCTAVES, inside); // of equals the first: the smallest
    const notices = [], lost = line.length - inside(semitones);
    if (semitones) {
      const signed = `${semitones > 0 ? "+" : ""}${semitones}`;
      notices.push(`The melody was moved by ${signed} semitones, into the range from E2 to C6.`);
    }
    if (lost) notices.push(`${lost} of ${line.length} notes lie outside the range from E2 to C6: they were silenced.`);
    return [line.map(({ pitch, onset, end }) => ({ pitch: pitch + semitones, onset, end })), semitones, notices];
  }

  // --- for the page: tokens in a link, and for <tvae-player>

  const LETTERS = ".-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"; // of the 47 states, as in tvae/report/playground.py

  /** Tokens -> a letter a step: "." silence, "-" sustain, A ... Z and a ... s the pitches; stands in a link as it is. */
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
    const low = Math.min(...pitches) - 1, high = Math.max(...pitches) + 1;
    const room = Math.max(0, 18 - (high - low)), below = Math.floor(room / 2);
    return [low - below, high + room - below];
  }

  /** The melody in a sentence: how many notes, from where to where, which bars repeat which. */
  function describe(tokens) {
    const pitches = tokens_to_notes(tokens).map(({ pitch }) => pitch);
    if (!pitches.length) return "8 bars of silence";
    const repeats = earlier_equal(tokens).flatMap((source, bar) => (source < 0 ? [] : [`bar ${bar + 1} = bar ${source + 1}`]));
    const notes = pitches.length === 1 ? "1 note" : `${pitches.length} notes`;
    const span = `${notes} from ${pitch_name(Math.min(...pitches))} to ${pitch_name(Math.max(...pitches))}`;
    return `${span}; ${repeats.join(", ") || "no bar repeats an earlier one"}`;
  }

  /** What <tvae-player> takes (see tvae/report/listen.py); low and high, the pitches of its roll, fit the piece unless given. */
  function piece(tokens, { title = "", role = "", tempo = 120, low, high } = {}) {
    const notes = tokens_to_notes(tokens), [bottom, top] = pitch_range(notes);
    return {
      title, role, text: describe(tokens), tempo,
      notes: notes.map(({ pitch, onset, end }) => [pitch, onset, end]), repeats: earlier_equal(tokens),
      low: low ?? bottom, high: high ?? top,
    };
  }

  tvae.melody = {
    TvaeError, SILENCE, SUSTAIN, FIRST_PITCH, LOWEST, HIGHEST, STATES, BARS, STEPS, PIECE, MOST_BYTES,
    quantise, one_voice, notes_to_tokens, tokens_to_notes, canonical, is_valid, transpose, bars, equal_bars, earlier_equal,
    write_midi, read_midi, to_text, from_text, pitch_name, pitch_range, describe, piece,
  };
})();
