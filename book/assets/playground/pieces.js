/* tvae.pieces: what there is to choose from, and what a file holds. A piece is {tokens, title, tempo} and never changes. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { melody, melody: { PIECE, SILENCE, TvaeError }, data, words: { limited } } = tvae;

  const SLOWEST = 4, FASTEST = 1000; // quarter notes a minute that write_midi can write
  const silence = { tokens: new Uint8Array(PIECE).fill(SILENCE), title: "My melody", tempo: 120 };

  const songs = data.songs.flatMap(({ items }) => items)
    .map(({ title, text, tempo = 120 }) => ({ tokens: melody.from_text(text), title, tempo }));
  const same = (one, other) => one.every((token, step) => token === other[step]);

  /** A piece from a reader's file, and what was done to it on the way. Throws TvaeError. */
  async function readFile(file) {
    let bytes;
    try {
      bytes = new Uint8Array(await file.slice(0, melody.MOST_BYTES + 1).arrayBuffer());
    } catch { // a folder, or a file that is gone
      throw new TvaeError(`'${file.name}' cannot be read; choose a MIDI file.`);
    }
    const { tokens, tempo, notices } = melody.read_midi(bytes, file.name);
    const playable = Math.min(FASTEST, Math.max(SLOWEST, tempo));
    if (playable !== tempo) notices.push(`Its tempo of ${tempo} quarter notes a minute was set to ${playable}.`);
    const title = file.name.replace(/\.midi?$/i, "").trim() || file.name;
    return [{ tokens, title: limited(title), tempo: playable }, notices];
  }

  tvae.pieces = { SLOWEST, FASTEST, silence, songs, same, readFile };
})();
