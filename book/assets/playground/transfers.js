/* tvae.transfers: the measures of tvae/studies/transfers.py, name for name, for one piece at a time: did the context
   transfer happen? The host gives every code but the swapped ones, the donor gives those. Pieces are tokens, a
   Uint8Array(128); bars are counted from 1, as musicians do. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});
  const { melody } = tvae,
    { BARS, FIRST_PITCH, LOWEST } = melody;

  const numbers = Array.from({ length: BARS }, (_, k) => k + 1);
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const count = (booleans) => booleans.filter(Boolean).length;
  const matrix = (rule) => numbers.map((_, i) => numbers.map((_, j) => rule(i, j)));

  /** (8, 16) booleans: where does a note begin? */
  const onsets = (tokens) => melody.bars(tokens).map((bar) => Array.from(bar, (token) => token >= FIRST_PITCH));

  /** Mean MIDI pitch of the notes that begin in the chosen bars, (8) booleans; NaN without any. */
  function mean_pitch(tokens, chosen) {
    const bars = melody.bars(tokens).filter((_, bar) => chosen[bar]);
    const pitches = bars.flatMap((bar) =>
      [...bar].filter((token) => token >= FIRST_PITCH).map((token) => token - FIRST_PITCH + LOWEST),
    );
    return share(sum(pitches), pitches.length);
  }

  /** (8, 8) in 0 ... 1: F1 of the notes of bar i and of bar j, or of their onsets; 0 for two empty ones. */
  function self_similarity(tokens, pitches = true) {
    const begins = onsets(tokens),
      x = pitches ? melody.bars(tokens) : begins;
    return matrix((i, j) => {
      const same = count(begins[j].map((begin, step) => begin && x[i][step] === x[j][step]));
      return (2 * same) / Math.max(count(begins[i]) + count(begins[j]), 1);
    });
  }

  /** (8, 8) booleans: each pair of bars i < j of which at least one is among these. */
  const pairs_with = (bars) => matrix((i, j) => i < j && (bars.includes(i + 1) || bars.includes(j + 1)));

  /** Equal bars among these pairs (8, 8): how many are found in both, in the result and in the host. */
  function structure(host, result, pairs) {
    const [own, claimed] = [host, result].map((tokens) => melody.equal_bars(tokens));
    const among = (rule) => count(matrix((i, j) => pairs[i][j] && rule(i, j)).flat());
    return [among((i, j) => own[i][j] && claimed[i][j]), among((i, j) => claimed[i][j]), among((i, j) => own[i][j])];
  }

  /** Do the chosen bars, (8) booleans, have the onsets of the pattern, (16)? F1 is the ratio of the two sums. */
  function rhythm(tokens, pattern, chosen) {
    const begins = onsets(tokens).filter((_, bar) => chosen[bar]);
    const both = 2 * sum(begins.map((bar) => count(bar.map((begin, step) => begin && pattern[step]))));
    return [both, sum(begins.map((bar) => count(bar) + count(pattern)))];
  }

  /** (8) booleans: the bars after the first of `bars` that are none of these and repeat none. */
  function later_bars(tokens, bars) {
    const same = melody.equal_bars(tokens);
    return numbers.map(
      (number, k) => number > bars[0] && !bars.includes(number) && !bars.some((bar) => same[k][bar - 1]),
    );
  }

  /** top / bottom, NaN where there is nothing to divide by. */
  const share = (top, bottom) => (bottom === 0 ? NaN : top / bottom);

  /** What the page shows beside a result; `again` is the host's reconstruction, `bars` are those swapped, in order,
      maybe none.

      structure, kept   equal bars {host, result, both} of all pairs of bars, of those with a swapped bar
      rhythm            F1 of the onsets of later new bars with the first swapped bar {donor, host}; before: of `again`
      with the donor's
      register          mean MIDI pitches: of later new bars {result, before}, of the first swapped bar {donor, host};
      share: how much
                        of the way from host to donor they moved, null where that is no way

      The last two are null where nothing is left to measure: no swapped bar, no later new bar, no notes there. */
  function one_transfer(host, again, donor, result, bars) {
    const [first] = bars,
      chosen = later_bars(host, bars);
    const equal = (pairs) => {
      const [both, claimed, own] = structure(host, result, pairs);
      return { host: own, result: claimed, both };
    };
    const agreement = (tokens, whose) => share(...rhythm(tokens, onsets(whose)[first - 1], chosen));
    const level = (tokens) =>
      mean_pitch(
        tokens,
        numbers.map((number) => number === first),
      );
    const known = (found) => (Object.values(found).some(Number.isNaN) ? null : found);

    const agreed = known({
      donor: agreement(result, donor),
      host: agreement(result, host),
      before: agreement(again, donor),
    });
    const pitches = known({
      result: mean_pitch(result, chosen),
      before: mean_pitch(again, chosen),
      donor: level(donor),
      host: level(host),
    });
    const way = pitches && share(pitches.result - pitches.before, pitches.donor - pitches.host);
    return {
      structure: equal(pairs_with(numbers)),
      kept: equal(pairs_with(bars)),
      rhythm: agreed,
      register: pitches && { ...pitches, share: Number.isNaN(way) ? null : way },
    };
  }

  // --- what is measured of many: as in Python a measure is sums over hosts and a number that is made of them

  const ratio = (top, bottom) => [top, bottom];
  const added = (...ratios) => ratios.reduce((one, other) => one.map((value, k) => value + other[k]));

  /** Of a line through the origin, y over x; what is NaN is left out. */
  const slope = (x, y) => (Number.isFinite(x * y) ? ratio(x * y, x * x) : ratio(0, 0));

  function structure_f1(host, result, pairs) {
    const [equal, claimed, own] = structure(host, result, pairs);
    return ratio(2 * equal, claimed + own);
  }

  /** The measures that decide claims C7 to C9, of one host: {name: its sums}.

      A host and its reconstruction `again`; two donors, their reconstructions and what came out, each a list of two. */
  function measures(host, again, donors, donors_again, results, bars) {
    const pairs = pairs_with(bars),
      k = bars[0] - 1,
      later = later_bars(host, bars),
      of_both = (rule) => added(rule(0), rule(1));
    const f1 = (others) => of_both((d) => structure_f1(host, others[d], pairs));
    const heard = donors.map((donor) => onsets(donor)[k]),
      own = onsets(host)[k],
      unswapped = [again, again];
    const agreed = (tokens, patterns) => of_both((d) => rhythm(tokens[d], patterns[d], later));
    const first = numbers.map((number) => number === bars[0]),
      apart = ([one, other]) => one - other;
    const high = apart(donors.map((donor) => mean_pitch(donor, first)));
    const pitch = apart(results.map((result) => mean_pitch(result, later)));
    const songs = apart([0, 1].map((d) => mean_pitch(donors_again[d], later_bars(donors[d], bars))));
    return {
      structure_kept: [...f1(results), ...f1(donors_again), ...f1(unswapped)],
      rhythm_follows: [
        ...agreed(results, heard),
        ...agreed(results, [heard[1], heard[0]]),
        ...agreed(unswapped, [own, own]),
        ...agreed(unswapped, heard),
      ],
      register_follows: [...slope(high, pitch), ...slope(high, songs)],
    };
  }

  /** The numbers that are made of the sums: 0 is chance and 1 what songs do by themselves. */
  const OF = {
    structure_kept: (a, b, c, d, e, f) => share(share(a, b) - share(c, d), share(e, f) - share(c, d)),
    rhythm_follows: (a, b, c, d, e, f, g, h) => share(share(a, b) - share(c, d), share(e, f) - share(g, h)),
    register_follows: (a, b, c, d) => share(share(a, b), share(c, d)),
  };

  /** {name: sums} -> {name: value} */
  const values = (sums) => Object.fromEntries(Object.entries(sums).map(([name, parts]) => [name, OF[name](...parts)]));

  tvae.transfers = {
    onsets,
    mean_pitch,
    self_similarity,
    pairs_with,
    structure,
    rhythm,
    later_bars,
    share,
    one_transfer,
    measures,
    values,
  };
})();
