/* tvae.patch: where each bar's code comes from.

   A *patch* is what the switches say: {sources: of each bar "A", "B", "mix" or "prior", mix: per cent of B, seed: of the draw from
   the prior}. Of A and B, the *host* is who gives more codes and the other one the donor. Codes are a Float32Array, one bar's
   after the other's. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { melody: { BARS } } = tvae;
  const numbers = [...Array(BARS).keys()]; // of bars, from 0

  const SOURCES = ["A", "B", "mix", "prior"];

  const barsFrom = (patch, source) => numbers.filter((bar) => patch.sources[bar] === source).map((bar) => bar + 1);

  /** "A", "B", or null where no code is one song's own. */
  function hostOf(patch) {
    const ofA = barsFrom(patch, "A").length, ofB = barsFrom(patch, "B").length;
    return ofA + ofB === 0 ? null : ofA >= ofB ? "A" : "B";
  }

  /** Numbers in 0 ... 1, the same for a seed wherever it is opened (mulberry32). */
  function* uniform(seed) {
    for (;;) {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      yield ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    }
  }

  /** Codes drawn from the prior, a normal distribution (Box and Muller). */
  function draw(seed, length) {
    const random = uniform(seed), next = () => random.next().value;
    return Float32Array.from({ length }, () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()));
  }

  /** The codes that the switches ask for, of those of A and of B. */
  function patched({ sources, mix, seed }, a, b) {
    const prior = draw(seed, a.length), share = mix / 100;
    const value = {
      A: (k) => a[k],
      B: (k) => b[k],
      mix: (k) => (1 - share) * a[k] + share * b[k],
      prior: (k) => prior[k],
    };
    return a.map((_, k) => value[sources[Math.floor((k * BARS) / a.length)]](k));
  }

  tvae.patch = { SOURCES, barsFrom, hostOf, patched };
})();
