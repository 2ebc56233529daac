/* tvae.random: numbers that are the same for a seed wherever the page is opened. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});

  /** Numbers in 0 ... 1 (mulberry32). */
  function* uniform(seed) {
    for (;;) {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      yield ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    }
  }

  /** Draws from a normal distribution (Box and Muller). */
  function normal(seed, length) {
    const random = uniform(seed),
      next = () => random.next().value;
    return Float32Array.from({ length }, () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()));
  }

  tvae.random = { uniform, normal };
})();
