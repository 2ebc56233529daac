/* tvae.pieces: what there is to choose from, and what a file holds.

   A piece is {tokens, title, tempo} and never changes. One from a file has notices (what was done to it on the way)
   and, where there is more to choose from, file: see strip.js. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody,
    midi,
    melody: { PIECE, SILENCE, TvaeError },
    data,
    words: { limited },
  } = tvae;

  // Quarter notes a minute that write_midi can write.
  const SLOWEST = 4,
    FASTEST = 1000;
  const silence = { tokens: new Uint8Array(PIECE).fill(SILENCE), title: "My melody", tempo: 120 };
  const UNSEEN = 2; // the group of songs that no model was trained on

  const read = (groups) =>
    groups.map(({ group, items }) => ({
      group,
      songs: items.map(({ title, text }) => ({ tokens: melody.from_text(text), title, tempo: 120 })),
    }));
  const groups = read(data.songs);
  let more = null;

  /** The songs of the page, by group: [{group, songs}]. */
  const songs = () => groups;

  /** A promise of all groups, with the many that are only loaded when somebody searches. */
  function allSongs(folder) {
    more ??= tvae.script(`${folder}songs.js`).then(() => groups.push(...read(data.moreSongs)));
    return more.then(
      () => groups,
      (error) => {
        more = null;
        throw error;
      },
    );
  }

  const titled = (title) => groups.flatMap(({ songs }) => songs).find((song) => song.title === title);

  function random() {
    const { songs } = groups[Math.min(UNSEEN, groups.length - 1)];
    return songs[Math.floor(Math.random() * songs.length)];
  }

  const plain = (text) =>
    text
      .normalize("NFD")
      .replace(/\p{M}|['’.]/gu, "")
      .toLowerCase();
  const parts = (text) =>
    plain(text)
      .split(/[^\p{L}\p{N}]+/u)
      .filter(Boolean);

  /** Does each word of the query begin a word of the title, or (of five letters and more) the other way round? */
  function fits(title, query) {
    const words = parts(title);
    return parts(query).every((part) =>
      words.some((word) => word.startsWith(part) || (word.length >= 5 && part.startsWith(word))),
    );
  }

  const same = (one, other) => one.every((token, step) => token === other[step]);

  /** A piece from a reader's file. Throws TvaeError. */
  async function readFile(file) {
    let bytes;
    try {
      bytes = new Uint8Array(await file.slice(0, midi.MOST_BYTES + 1).arrayBuffer());
    } catch {
      // a folder, or a file that is gone
      throw new TvaeError(`'${file.name}' cannot be read; choose a MIDI file.`);
    }
    return pieceOf(new midi.File(bytes, file.name), limited(file.name.replace(/\.midi?$/i, "").trim() || file.name));
  }

  /** A piece of a file that has been read; `track` and `start` choose the part and the bar, by their numbers. */
  function pieceOf(source, title, track, start) {
    const { tokens, tempo, notices, part, start: first } = source.read({ track, start });
    const playable = Math.min(FASTEST, Math.max(SLOWEST, tempo)),
      { notes, bars } = source.strip(part);
    if (playable !== tempo) notices.push(`Its tempo of ${tempo} quarter notes a minute was set to ${playable}.`);
    const near = (at) =>
      bars
        .filter(({ usable }) => usable) // bars with which a piece can begin, the nearest first
        .sort((a, b) => Math.abs(bars.indexOf(a) - at) - Math.abs(bars.indexOf(b) - at))[0].number;
    const file = bars.length && {
      parts: source.parts.map(({ lowest: low, highest: high, ...about }) => ({ ...about, low, high })),
      part: part - 1,
      line: notes,
      bars: bars.length,
      start: bars.findIndex(({ number }) => number === first),
      read: (other, at) => pieceOf(source, title, other + 1, at === null ? undefined : near(at)),
    };
    return { tokens, title, tempo: playable, notices, ...(file && { file }) };
  }

  tvae.pieces = { SLOWEST, FASTEST, silence, songs, allSongs, titled, random, fits, same, readFile };
})();
