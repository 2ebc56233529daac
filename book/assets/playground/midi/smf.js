/* The bytes of a standard MIDI file -> what of it matters here: tvae/midi/smf.py, name for name. What does not matter
   is not looked at, so it cannot be wrong. The files of this folder are loaded in the order smf, words, parts, line,
   bars, take, read, write; they add to tvae.midi. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});
  const { TvaeError } = tvae.melody;

  // So that no file takes two seconds; a whole song has a tenth of either.
  const MOST_BYTES = 1_000_000,
    MOST_NOTES = 50_000;
  const LONGEST_DELTA = 2 ** 28 - 1; // ticks: four bytes of seven bits
  const LONGEST = 2 ** 40; // ticks of a track
  const HEADER_WITHIN = 1024; // bytes: a RIFF or MacBinary wrapper may stand before it
  const END_OF_PIECE = "end of tvae piece"; // a text event: so a file knows its length where it ends in silence
  const DATA_BYTES = { 0x8: 2, 0x9: 2, 0xa: 2, 0xb: 2, 0xc: 1, 0xd: 1, 0xe: 2 }; // by the first half of the status
  const SYSTEM_BYTES = { 0xf1: 1, 0xf2: 2, 0xf3: 1, 0xf6: 0 }; // of no use in a file
  for (let status = 0xf8; status < 0xff; status++) SYSTEM_BYTES[status] = 0;

  class Damaged extends Error {} // the bytes cannot be what they should be

  const latin = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

  /** A file's bytes -> {quarter, tracks, missing}: ticks a quarter note, the tracks (see `_track`), tracks that the
      header counts and the file has not. `path` is its name in sentences.

      Throws TvaeError for what is no MIDI file of type 0 or 1 with ticks a quarter note, is damaged, or is too
      large. */
  function parse(data, path) {
    if (data.length > MOST_BYTES) {
      throw new TvaeError(`'${path}' is larger than ${MOST_BYTES / 1000} kB; export the melody alone.`);
    }
    const at = _find(data, "MThd", 0, HEADER_WITHIN);
    if (at < 0) throw new TvaeError(`'${path}' is not a MIDI file; export the melody as a standard MIDI file (.mid).`);
    let tracks, count, quarter;
    try {
      const size = _number(data, at + 4, 4),
        kind = _number(data, at + 8, 2);
      count = _number(data, at + 10, 2);
      quarter = _number(data, at + 12, 2);
      if (kind === 2) {
        throw new TvaeError(`'${path}' holds independent patterns (MIDI type 2); export one of them as type 0 or 1.`);
      }
      if (quarter >= 2 ** 15) {
        throw new TvaeError(
          `'${path}' counts in film frames (SMPTE), not in beats; export it with ticks per quarter note.`,
        );
      }
      if (size < 6 || kind > 2 || quarter === 0) throw new Damaged();
      tracks = [..._tracks(data, at + 8 + size)];
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      throw new TvaeError(`'${path}' is a damaged MIDI file; open it in a MIDI editor and export it again.`);
    }
    if (tracks.reduce((sum, { notes }) => sum + notes.length, 0) > MOST_NOTES) {
      throw new TvaeError(`'${path}' has more than ${MOST_NOTES} notes; export the melody alone.`);
    }
    return { quarter, tracks, missing: Math.max(count - tracks.length, 0) };
  }

  function _number(data, at, length) {
    if (at + length > data.length) throw new Damaged();
    return data.subarray(at, at + length).reduce((value, byte) => 256 * value + byte, 0);
  }

  /** Where these letters stand first, between two positions; -1 where they do not. */
  function _find(data, letters, start, stop = data.length) {
    const last = Math.min(stop, data.length) - letters.length,
      first = letters.charCodeAt(0);
    for (let at = data.indexOf(first, start); at >= 0 && at <= last; at = data.indexOf(first, at + 1)) {
      if (latin(data.subarray(at, at + letters.length)) === letters) return at;
    }
    return -1;
  }

  /** The track chunks from here on; other chunks are skipped, and a length that is a little off does no harm. */
  function* _tracks(data, at) {
    while (at >= 0 && at + 8 <= data.length) {
      const kind = latin(data.subarray(at, at + 4)),
        end = at + 8 + _number(data, at + 4, 4);
      let read = at + 4;
      if (kind === "MTrk") {
        let track;
        [track, read] = _track(data, at + 8, end);
        yield track;
      } else if (kind === "MThd" || end > data.length) {
        return; // a second file, or something else, after the last track
      }
      at = end === data.length || _is_chunk(data, end) ? end : _find(data, "MTrk", read);
    }
  }

  /** Does the name of a chunk stand here? */
  const _is_chunk = (data, at) => at + 8 <= data.length && /^[A-Za-z]{4}$/.test(latin(data.subarray(at, at + 4)));

  /** The events from `at` to the end of the track, or to `end` where it has none -> [track, where they end].

      A track is {name (bytes), notes [channel, pitch, onset, end], programs (channel -> the General MIDI number its
      first note has), tempos [tick, microseconds a quarter note], meters [tick, beats, power of two of the unit],
      lyrics and texts (ticks), end (tick of its last event), marked (did `write_midi` write it?)}. */
  function _track(data, at, end) {
    const track = {
      name: new Uint8Array(),
      notes: [],
      programs: new Map(),
      tempos: [],
      meters: [],
      lyrics: [],
      texts: [],
      end: 0,
      marked: false,
    };
    const size = data.length;
    const sounding = new Map(); // 128 * channel + pitch -> ticks of the onsets not yet ended
    const program = new Map();
    let tick = 0,
      running = 0;

    /** A number of seven bits a byte. Five bytes are 32 bits with a sign: a negative one counts as 0. */
    function variable() {
      let value = 0;
      for (let length = 1; length < 6 && at < size; length++) {
        const byte = data[at];
        value = value * 128 + (byte & 127);
        at += 1;
        if (byte < 128) {
          if (length === 5 && Math.floor(value / 2 ** 31) % 2) return 0;
          if (value > LONGEST_DELTA) break;
          return value;
        }
      }
      throw new Damaged();
    }

    while (!(at >= end && (at === size || _is_chunk(data, at)))) {
      tick += variable();
      if (at >= size || tick > LONGEST) throw new Damaged();
      let status = data[at];
      if (status < 0x80) status = running;
      else at += 1;
      if (status === 0xff) {
        if (at >= size) throw new Damaged();
        const kind = data[at];
        at += 1;
        const length = variable(),
          content = data.subarray(at, at + length);
        at += length;
        if (at > size) throw new Damaged();
        if (kind === 0x2f) break;
        _meta(track, tick, kind, content);
      } else if (status >> 4 in DATA_BYTES) {
        running = status;
        const channel = status & 15,
          what = status >> 4;
        const first = at < size ? data[at] : 255,
          second = at + 1 < size ? data[at + 1] : 0;
        at += DATA_BYTES[what];
        if (at > size || first > 127) throw new Damaged(); // the second may be too large: it is a volume, or a loudness
        const key = 128 * channel + first;
        if (what === 0xc) {
          program.set(channel, first);
        } else if (what === 9 && second) {
          if (!sounding.has(key)) sounding.set(key, []);
          sounding.get(key).push(tick);
          if (!track.programs.has(channel)) track.programs.set(channel, program.get(channel) ?? -1);
        } else if (what === 8 || what === 9) {
          const onsets = sounding.get(key) ?? [];
          sounding.delete(key);
          // A note-off does not end the note that begins on its tick, unless there is no other.
          const before = onsets.filter((onset) => onset < tick),
            ended = before.length ? before : onsets;
          for (const onset of ended) track.notes.push([channel, first, onset, tick]);
          if (ended.length < onsets.length) sounding.set(key, [tick]);
        }
      } else if (status === 0xf0 || status === 0xf7) {
        const length = variable();
        at += length;
        if (at > size) throw new Damaged();
      } else if (status in SYSTEM_BYTES) {
        at += SYSTEM_BYTES[status];
      } else {
        throw new Damaged();
      }
    }
    for (const [key, onsets] of sounding) {
      // a note that is never ended ends with its track
      for (const onset of onsets) track.notes.push([Math.floor(key / 128), key % 128, onset, tick]);
    }
    track.end = tick;
    return [track, at];
  }

  /** Keep what of a meta message matters; too short a one does not. */
  function _meta(track, tick, kind, content) {
    if (kind === 0x03) {
      track.name = content;
    } else if (kind === 0x51 && content.length >= 3) {
      const tempo = 65536 * content[0] + 256 * content[1] + content[2];
      if (tempo) track.tempos.push([tick, tempo]);
    } else if (kind === 0x58 && content.length >= 2 && content[0] && content[1] <= 6) {
      track.meters.push([tick, content[0], content[1]]);
    } else if (kind === 0x05) {
      track.lyrics.push(tick);
    } else if (kind === 0x01) {
      track.marked ||= content.length === END_OF_PIECE.length && latin(content) === END_OF_PIECE;
      if (content[0] !== 64) track.texts.push(tick); // an @ begins a title or the like
    }
  }

  tvae.midi = { MOST_BYTES, END_OF_PIECE, latin, parse };
})();
