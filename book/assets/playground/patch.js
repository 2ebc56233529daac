/* tvae.patch: where each bar's code comes from.

   A *patch* is what the switches say: {sources: of each bar "A", "B", "mix" or "prior", mix: per cent of B, seeds: of
   each bar the number that its sample from the prior is drawn with, locked: of each bar, whether what is done to all
   bars leaves it alone, song: 0, or the number that a new song is drawn with: bars on prior then get their codes from
   the learned prior, each told from the other bars}. Of A and B, the *host* is who gives more codes and the other one
   the donor. Codes are a Float32Array, one bar's after the other's. Patches never change: what is said here of one
   gives another. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody: { BARS },
    random: { normal },
  } = tvae;

  const SOURCES = ["A", "B", "mix", "prior"],
    LETTERS = { A: "A", B: "B", M: "mix", P: "prior" };
  const SEEDS = 2 ** 32;
  const numbers = [...Array(BARS).keys()]; // of bars, from 0

  /** "BAAAAAAA" -> its sources, and the other way. */
  const fromLetters = (letters) => [...letters].map((letter) => LETTERS[letter]);
  const toLetters = (sources) =>
    sources.map((source) => Object.keys(LETTERS).find((key) => LETTERS[key] === source)).join("");

  const start = (letters) => ({
    sources: fromLetters(letters),
    mix: 50,
    seeds: Array(BARS).fill(1),
    locked: Array(BARS).fill(false),
    song: 0,
  });

  const barsFrom = (patch, source) => numbers.filter((bar) => patch.sources[bar] === source).map((bar) => bar + 1);

  /** "A", "B", or null where no code is one song's own. */
  function hostOf(patch) {
    const ofA = barsFrom(patch, "A").length,
      ofB = barsFrom(patch, "B").length;
    return ofA + ofB === 0 ? null : ofA >= ofB ? "A" : "B";
  }

  /** All bars from one source; a locked bar stays as it is. */
  const allFrom = (patch, source) => ({
    ...patch,
    sources: patch.sources.map((own, bar) => (patch.locked[bar] ? own : source)),
  });

  /** Who turns the knob of a source that no bar uses means it for all bars. */
  const using = (patch, source) => (patch.sources.includes(source) ? patch : allFrom(patch, source));

  /** Another sample for the bars from the prior that are not locked: the `number`-th that was not heard yet. */
  function sampledAnew(patch, number = 1) {
    const wanted = using(patch, "prior"),
      seed = (Math.max(...patch.seeds) + number) % SEEDS;
    const changes = (bar) => wanted.sources[bar] === "prior" && !wanted.locked[bar];
    return { ...wanted, song: 0, seeds: wanted.seeds.map((own, bar) => (changes(bar) ? seed : own)) };
  }

  /** Another song: all bars that are not locked from the learned prior, told from those that are. */
  const newSong = (patch) => ({ ...allFrom(patch, "prior"), song: (patch.song % (SEEDS - 1)) + 1 });

  /** Of each bar: does the learned prior leave it as it is? */
  const known = (patch) => patch.sources.map((source) => source !== "prior");

  /** The codes that the switches ask for, of those of A and of B; the prior is a normal distribution. */
  function patched({ sources, mix, seeds }, a, b) {
    const samples = new Map(seeds.map((seed) => [seed, normal(seed, a.length)])),
      share = mix / 100;
    const value = {
      A: (k) => a[k],
      B: (k) => b[k],
      mix: (k) => (1 - share) * a[k] + share * b[k],
      prior: (k, bar) => samples.get(seeds[bar])[k],
    };
    return a.map((_, k) => {
      const bar = Math.floor((k * BARS) / a.length);
      return value[sources[bar]](k, bar);
    });
  }

  tvae.patch = {
    SOURCES,
    SEEDS,
    fromLetters,
    toLetters,
    start,
    barsFrom,
    hostOf,
    allFrom,
    using,
    sampledAnew,
    newSong,
    known,
    patched,
  };
})();
