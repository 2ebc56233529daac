/* The parts of a file, and which of them has the melody: tvae/midi/parts.py, name for name. A note in ticks is [onset,
   end, pitch]. */
(() => {
  "use strict";
  const { midi } = globalThis.tvae;

  const PERCUSSION = 9; // channel 10, as musicians count
  const range = (from, to) => Array.from({ length: to - from }, (_, k) => from + k);
  const BASSES = new Set(range(32, 40)); // General MIDI programs, from 0
  // Bells, drums and effects; steel drums (114) do play melodies.
  const NOISES = new Set([...range(112, 114), ...range(115, 128)]);
  const ENSEMBLES = new Set([...range(48, 53), ...range(88, 96)]); // strings, choirs and pads
  const MOSTLY = 0.8; // "mostly monophonic": so many of the notes leave the one before them alone
  const FEW = 4; // a part with less than a quarter of another's onsets and of its sounding time has stray notes
  const SUNG = 0.6; // agreement of a part's onsets and the lyrics from which on it is the sung one
  const LONGEST_NAME = 80; // characters
  const SLOW = 12; // sixteenths: a part with longer notes on average plays chords, or a line behind the melody
  const BEHIND = 24; // semitones by which such a part, or an ensemble, must lie higher
  const STEPWISE = 36; // semitones by which a line may lie lower that moves by steps alone
  const LOW = 52; // E3: what lies below on average is a bass, where another part lies higher
  const INSTRUMENTS = [
    "Acoustic Grand Piano",
    "Bright Acoustic Piano",
    "Electric Grand Piano",
    "Honky-tonk Piano",
    "Electric Piano 1",
    "Electric Piano 2",
    "Harpsichord",
    "Clavinet",
    "Celesta",
    "Glockenspiel",
    "Music Box",
    "Vibraphone",
    "Marimba",
    "Xylophone",
    "Tubular Bells",
    "Dulcimer",
    "Drawbar Organ",
    "Percussive Organ",
    "Rock Organ",
    "Church Organ",
    "Reed Organ",
    "Accordion",
    "Harmonica",
    "Tango Accordion",
    "Acoustic Guitar (nylon)",
    "Acoustic Guitar (steel)",
    "Electric Guitar (jazz)",
    "Electric Guitar (clean)",
    "Electric Guitar (muted)",
    "Overdriven Guitar",
    "Distortion Guitar",
    "Guitar Harmonics",
    "Acoustic Bass",
    "Electric Bass (finger)",
    "Electric Bass (pick)",
    "Fretless Bass",
    "Slap Bass 1",
    "Slap Bass 2",
    "Synth Bass 1",
    "Synth Bass 2",
    "Violin",
    "Viola",
    "Cello",
    "Contrabass",
    "Tremolo Strings",
    "Pizzicato Strings",
    "Orchestral Harp",
    "Timpani",
    "String Ensemble 1",
    "String Ensemble 2",
    "Synth Strings 1",
    "Synth Strings 2",
    "Choir Aahs",
    "Voice Oohs",
    "Synth Choir",
    "Orchestra Hit",
    "Trumpet",
    "Trombone",
    "Tuba",
    "Muted Trumpet",
    "French Horn",
    "Brass Section",
    "Synth Brass 1",
    "Synth Brass 2",
    "Soprano Sax",
    "Alto Sax",
    "Tenor Sax",
    "Baritone Sax",
    "Oboe",
    "English Horn",
    "Bassoon",
    "Clarinet",
    "Piccolo",
    "Flute",
    "Recorder",
    "Pan Flute",
    "Blown bottle",
    "Shakuhachi",
    "Whistle",
    "Ocarina",
    "Lead 1 (square)",
    "Lead 2 (sawtooth)",
    "Lead 3 (calliope)",
    "Lead 4 chiff",
    "Lead 5 (charang)",
    "Lead 6 (voice)",
    "Lead 7 (fifths)",
    "Lead 8 (bass + lead)",
    "Pad 1 (new age)",
    "Pad 2 (warm)",
    "Pad 3 (polysynth)",
    "Pad 4 (choir)",
    "Pad 5 (bowed)",
    "Pad 6 (metallic)",
    "Pad 7 (halo)",
    "Pad 8 (sweep)",
    "FX 1 (rain)",
    "FX 2 (soundtrack)",
    "FX 3 (crystal)",
    "FX 4 (atmosphere)",
    "FX 5 (brightness)",
    "FX 6 (goblins)",
    "FX 7 (echoes)",
    "FX 8 (sci-fi)",
    "Sitar",
    "Banjo",
    "Shamisen",
    "Koto",
    "Kalimba",
    "Bagpipe",
    "Fiddle",
    "Shanai",
    "Tinkle Bell",
    "Agogo",
    "Steel Drums",
    "Woodblock",
    "Taiko Drum",
    "Melodic Tom",
    "Synth Drum",
    "Reverse Cymbal",
    "Guitar Fret Noise",
    "Breath Noise",
    "Seashore",
    "Bird Tweet",
    "Telephone Ring",
    "Helicopter",
    "Applause",
    "Gunshot",
  ];

  const highest = (values) => values.reduce((a, b) => Math.max(a, b), 0); // (Math.max takes only so many at once)
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const in_time = (notes) => notes.sort((a, b) => a[0] - b[0] || a[2] - b[2] || a[1] - b[1]);

  /** Fill in what `choose` asks for; `step` is a sixteenth in ticks. */
  function _measure(voice, step) {
    const tops = new Map(); // of the notes that begin on one sixteenth, the highest pitch
    const same = new Map(); // notes of each pitch
    for (const [onset, , pitch] of voice.notes) {
      const at = Math.floor(onset / step);
      tops.set(at, Math.max(tops.get(at) ?? 0, pitch));
      same.set(pitch, (same.get(pitch) ?? 0) + 1);
    }
    const line = [...tops.values()];
    voice.onsets = line.length;
    voice.height = sum(line) / line.length;
    voice.sounding = _union(voice.notes);
    voice.tune = voice.height + _tunefulness(line);
    if (ENSEMBLES.has(voice.program) || voice.sounding >= SLOW * step * voice.onsets) voice.tune -= BEHIND;
    voice.one_pitch = highest([...same.values()]) * 10 > 9 * voice.notes.length;
    voice.single = monophony(voice.notes, step) >= MOSTLY;
  }

  /** The share of notes that start after the one before them, and overlap it by no more than a sixteenth. */
  function monophony(notes, step) {
    let free = 0;
    for (let k = 1; k < notes.length; k++) {
      free += notes[k][0] > notes[k - 1][0] && notes[k][0] >= notes[k - 1][1] - step ? 1 : 0;
    }
    return notes.length > 1 ? free / (notes.length - 1) : 1;
  }

  /** In semitones, what a line is worth for moving like a tune: by steps, within a small range. */
  function _tunefulness(pitches) {
    let steps = 0,
      low = pitches[0],
      high = pitches[0];
    pitches.forEach((pitch, k) => {
      steps += k && Math.abs(pitch - pitches[k - 1]) <= 2 ? 1 : 0;
      [low, high] = [Math.min(low, pitch), Math.max(high, pitch)];
    });
    return (STEPWISE * steps) / Math.max(pitches.length - 1, 1) - (high - low) / 2;
  }

  /** Ticks in which at least one note sounds. */
  function _union(notes) {
    let total = 0,
      until = -1;
    for (const [onset, end] of notes) {
      total += Math.max(end - Math.max(onset, until), 0);
      until = Math.max(until, end);
    }
    return total;
  }

  /** All parts that have notes: the channels of each track, but those that take turns in one voice are one.

      A voice is {part, notes, program, name}: what to show of it, {number, name, instrument, notes, lowest, highest,
      percussion}; its notes, in time; its General MIDI program, from 0 (-1: none given); the name of its track
      alone. */
  function voices(song, names) {
    const found = [],
      step = Math.max(Math.floor(song.quarter / 4), 1);
    song.tracks.forEach((track, index) => {
      const channels = new Map();
      for (const [channel, pitch, onset, end] of track.notes) {
        if (!channels.has(channel)) channels.set(channel, []);
        channels.get(channel).push([onset, end, pitch]);
      }
      const groups = _groups(channels, track.programs, step);
      for (const group of groups) {
        const notes = in_time(group.flatMap((channel) => channels.get(channel)));
        const program = track.programs.get(group[0]),
          percussion = group.length === 1 && group[0] === PERCUSSION;
        let name = [...names[index]].slice(0, LONGEST_NAME).join("") || `track ${index + 1}`;
        if (groups.length > 1) name += `, channel ${group[0] + 1}`;
        const pitches = notes.map((note) => note[2]);
        const part = {
          number: found.length + 1,
          name,
          instrument: percussion ? "Drums" : (INSTRUMENTS[program] ?? ""),
          notes: notes.length,
          lowest: pitches.reduce((a, b) => Math.min(a, b)),
          highest: highest(pitches),
          percussion,
        };
        found.push({ part, notes, program, name: names[index] });
      }
    });
    for (const voice of found) _measure(voice, step);
    return found;
  }

  /** The channels of a track that are parts of their own, or together one voice.

      A guitar has a channel a string, and an expressive keyboard gives each note the next channel: channels of one
      program are a voice if they take turns, or if there are three of them or more. */
  function _groups(channels, programs, step) {
    const by_program = new Map(),
      order = [...channels.keys()];
    for (const channel of order) {
      const key = channel === PERCUSSION ? "percussion" : programs.get(channel);
      by_program.set(key, [...(by_program.get(key) ?? []), channel]);
    }
    const groups = [];
    for (const same of by_program.values()) {
      const together = in_time(same.flatMap((channel) => channels.get(channel)));
      const turns = same.length > 1 && monophony(together, step) >= MOSTLY;
      groups.push(...(turns || same.length > 2 ? [same] : same.map((channel) => [channel])));
    }
    return groups.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  }

  /** The voice that has the melody, of those that are no percussion, and why.

      The lyrics count most, then the names, then what is no melody is left out: basses and noises, stray notes, one
      pitch over and over. Of what remains a single line is preferred, and then the one most like a tune: high, by
      steps, in a small range. */
  function choose(song, candidates) {
    const agreement = _agreement(song, candidates),
      sung = highest([...agreement.values()]);
    const most = highest(candidates.map(({ onsets }) => onsets)),
      longest = highest(candidates.map(({ sounding }) => sounding));
    const higher = candidates.some(({ height }) => height >= LOW);
    const names = new Set(candidates.map(({ name }) => name)); // of channels of one track it is that of the song

    function rank(voice) {
      const stray = voice.onsets * FEW < most && voice.sounding * FEW < longest;
      const named = names.size > 1 || candidates.length === 1 ? midi.standing(voice.name) : 0;
      const other =
        named < 0 || BASSES.has(voice.program) || NOISES.has(voice.program) || (higher && voice.height < LOW);
      const is_sung = sung >= SUNG && agreement.get(voice.part.number) >= sung - 0.05;
      const plausible = !stray && !voice.one_pitch;
      return [is_sung && plausible, plausible, named > 0, !other, Math.max(named, 0), voice.single, voice.tune].map(
        Number,
      );
    }

    const ranks = candidates.map(rank);
    const greater = (a, b) => {
      // is a greater than b, item by item?
      const k = a.findIndex((value, i) => value !== b[i]);
      return k >= 0 && a[k] > b[k];
    };
    const best = ranks.reduce((a, b, k) => (greater(b, ranks[a]) ? k : a), 0),
      [is_sung, , named, , , single] = ranks[best];
    if (is_sung) return [candidates[best], "its notes go with the lyrics"];
    return [
      candidates[best],
      named ? "by its name" : single ? "the single line most like a tune" : "the part most like a tune",
    ];
  }

  /** How well the onsets of each voice fit the lyrics: number of its part -> 0 ... 1; empty where there are no
      lyrics. */
  function _agreement(song, candidates) {
    const ordered = (ticks) => [...new Set(ticks)].sort((a, b) => a - b);
    let lyrics = ordered(song.tracks.flatMap((track) => track.lyrics));
    if (lyrics.length < 8) lyrics = ordered(song.tracks.flatMap((track) => track.texts.filter((tick) => tick)));
    const found = new Map(),
      near = Math.max(Math.floor(song.quarter / 8), 1);
    if (lyrics.length < 8) return found;
    for (const voice of candidates) {
      const onsets = ordered(voice.notes.map(([onset]) => onset));
      let both = 0;
      for (const tick of lyrics) {
        const at = bisect(onsets, tick - near);
        both += at < onsets.length && onsets[at] <= tick + near ? 1 : 0;
      }
      const during = bisect(onsets, lyrics.at(-1) + near) - bisect(onsets, lyrics[0] - near);
      found.set(voice.part.number, (2 * both) / (lyrics.length + Math.max(during, both)));
    }
    return found;
  }

  /** How many of these, which are in order, come before a value. */
  function bisect(list, value, key = (item) => item) {
    let low = 0,
      high = list.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (key(list[middle]) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  Object.assign(midi, { bisect, choose, highest, INSTRUMENTS, voices });
})();
