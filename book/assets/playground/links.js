/* tvae.links: the whole state in the address, after #. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { melody, melody: { PIECE, TvaeError }, pieces: { SLOWEST, FASTEST }, words: { limited } } = tvae;

  const LETTERS = { A: "A", B: "B", M: "mix", P: "prior" }; // of sources

  function writeLink(patch, A, B) {
    const letter = (source) => Object.keys(LETTERS).find((key) => LETTERS[key] === source);
    return `#${new URLSearchParams({
      patch: patch.sources.map(letter).join(""), mix: patch.mix, seed: patch.seed,
      a: melody.to_text(A.tokens), "a-title": A.title, "a-tempo": A.tempo,
      b: melody.to_text(B.tokens), "b-title": B.title, "b-tempo": B.tempo,
    })}`;
  }

  /** -> {patch, A, B}, or null where the address has another part of the page. Throws TvaeError. */
  function readLink(hash) {
    if (!hash.startsWith("#patch=")) return null;
    const fields = new URLSearchParams(hash.slice(1)), damaged = [];
    function field(name, pattern, fits = () => true) {
      const [value, ...more] = fields.getAll(name);
      if (value === undefined || more.length || !pattern.test(value) || !fits(value)) damaged.push(name);
      return value ?? "";
    }
    function piece(name) {
      const text = field(name, /^/, (text) => text.length === PIECE && valid(text));
      const title = field(`${name}-title`, /\S/, (title) => title === limited(title));
      const tempo = field(`${name}-tempo`, /^\d{1,4}(\.\d{1,2})?$/, (tempo) => tempo >= SLOWEST && tempo <= FASTEST);
      return { text, title, tempo: Number(tempo) };
    }
    function valid(text) {
      try {
        return melody.is_valid(melody.from_text(text));
      } catch (error) {
        if (error instanceof TvaeError) return false;
        throw error;
      }
    }
    const letters = field("patch", /^[ABMP]{8}$/), mix = field("mix", /^(\d\d?|100)$/);
    const seed = field("seed", /^\d{1,10}$/, (seed) => seed < 2 ** 32), pieces = [piece("a"), piece("b")];
    damaged.push(...[...fields.keys()].filter((name) => !["patch", "mix", "seed"].includes(name) && !/^[ab](-title|-tempo)?$/.test(name)));
    if (damaged.length) throw new TvaeError("This link is damaged, so nothing was taken from it; ask for it again.");
    const [A, B] = pieces.map(({ text, ...rest }) => ({ tokens: melody.from_text(text), ...rest }));
    return { patch: { sources: [...letters].map((letter) => LETTERS[letter]), mix: Number(mix), seed: Number(seed) }, A, B };
  }

  tvae.links = { writeLink, readLink };
})();
