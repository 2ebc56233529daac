/* tvae.statistics: intervals from the bootstrap, as tvae/studies/statistics.py makes them. What is resampled is the
   group of songs (or the song): two pieces of one song are not independent. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const { uniform } = tvae.random;
  const SEED = 0;

  /** How often each of `size` units is drawn when as many are drawn with replacement; a list for each draw. */
  function multinomial(size, draws) {
    const random = uniform(SEED);
    return Array.from({ length: draws }, () => {
      const weights = new Uint16Array(size);
      for (let k = 0; k < size; k++) weights[Math.floor(size * random.next().value)] += 1;
      return weights;
    });
  }

  /** The value between the sorted ones at a share of the way, as NumPy has it. */
  function quantile(sorted, share) {
    const at = share * (sorted.length - 1),
      low = Math.floor(at);
    return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
  }

  /** The two ends of the central interval of drawn values; those that are no numbers are left out. */
  function quantiles(drawn, level = 0.95) {
    const sorted = drawn.filter(Number.isFinite).sort((a, b) => a - b);
    return sorted.length ? [quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2)] : [NaN, NaN];
  }

  /** Sums {name: [number, ...]} of units, each with a weight -> the sums over all of them. */
  function weighted(units, weights) {
    const total = {};
    units.forEach((sums, k) => {
      if (!weights[k]) return;
      for (const [name, parts] of Object.entries(sums)) {
        total[name] ??= parts.map(() => 0);
        parts.forEach((value, part) => (total[name][part] += weights[k] * value));
      }
    });
    return total;
  }

  tvae.statistics = { multinomial, quantiles, weighted };
})();
