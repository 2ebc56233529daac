/* tvae.links: the whole state in the address, after #. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody,
    melody: { BARS, PIECE, TvaeError },
    words: { limited },
  } = tvae;
  const {
    patch: { SEEDS, fromLetters, toLetters },
    pieces: { SLOWEST, FASTEST },
  } = tvae;

  const KNOWN = /^(patch|mix|seed|song|locked|model|tempo|[ab](-title|-tempo)?)$/;
  const TEMPO = /^\d{1,4}(\.\d{1,2})?$/;

  const plays = (tempo) => tempo >= SLOWEST && tempo <= FASTEST;

  /** What is as it is by default is left out, except for the melodies and the switches. */
  function writeLink({ patch, A, B, model, tempo }, defaultModel) {
    const { seeds, locked, song } = patch,
      one = seeds.every((seed) => seed === seeds[0]);
    return `#${new URLSearchParams({
      patch: toLetters(patch.sources),
      mix: patch.mix,
      seed: one ? seeds[0] : seeds.join("."),
      ...(song ? { song } : {}),
      ...(locked.includes(true) ? { locked: locked.map(Number).join("") } : {}),
      ...(model === defaultModel ? {} : { model }),
      ...(tempo === null ? {} : { tempo }),
      a: melody.to_text(A.tokens),
      "a-title": A.title,
      "a-tempo": A.tempo,
      b: melody.to_text(B.tokens),
      "b-title": B.title,
      "b-tempo": B.tempo,
    })}`;
  }

  function valid(text) {
    try {
      return text.length === PIECE && melody.is_valid(melody.from_text(text));
    } catch (error) {
      if (error instanceof TvaeError) return false;
      throw error;
    }
  }

  /** -> {patch, A, B, model or null, tempo or null}, or null where the address has another part of the page. Throws
      TvaeError. */
  function readLink(hash) {
    if (!hash.startsWith("#patch=")) return null;
    const fields = new URLSearchParams(hash.slice(1)),
      damaged = [];
    function field(name, pattern, fits = () => true, missing = undefined) {
      const [value = missing, ...more] = fields.getAll(name);
      if (value === null) return null;
      if (value === undefined || more.length || !pattern.test(value) || !fits(value)) damaged.push(name);
      return value ?? "";
    }
    function piece(name) {
      const text = field(name, /^/, valid);
      const title = field(`${name}-title`, /\S/, (title) => title === limited(title));
      return { text, title, tempo: Number(field(`${name}-tempo`, TEMPO, plays)) };
    }
    const small = (seeds) => seeds.split(".").every((seed) => seed < SEEDS);
    const letters = field("patch", /^[ABMP]{8}$/),
      mix = field("mix", /^(\d\d?|100)$/);
    const seeds = field("seed", /^\d{1,10}((\.\d{1,10}){7})?$/, small)
      .split(".")
      .map(Number);
    const song = field("song", /^\d{1,10}$/, small, "0");
    const locked = field("locked", /^[01]{8}$/, undefined, "0".repeat(BARS)),
      model = field("model", /^[\w.-]+$/, undefined, null);
    const tempo = field("tempo", TEMPO, plays, null),
      pieces = [piece("a"), piece("b")];
    damaged.push(...[...fields.keys()].filter((name) => !KNOWN.test(name)));
    if (damaged.length) throw new TvaeError("This link is damaged, so nothing was taken from it; ask for it again.");
    const [A, B] = pieces.map(({ text, ...rest }) => ({ tokens: melody.from_text(text), ...rest }));
    const patch = {
      sources: fromLetters(letters),
      mix: Number(mix),
      song: Number(song),
      locked: [...locked].map((bit) => bit === "1"),
      seeds: seeds.length === 1 ? Array(BARS).fill(seeds[0]) : seeds,
    };
    return { patch, A, B, model, tempo: tempo === null ? null : Number(tempo) };
  }

  tvae.links = { writeLink, readLink };
})();
