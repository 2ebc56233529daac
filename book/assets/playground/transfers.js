/* tvae.transfers: the measures of tvae/studies/transfers.py, name for name, for one piece at a time: did the context transfer happen?
   The host gives every code but the swapped ones, the donor gives those. Pieces are tokens, a Uint8Array(128); bars are counted from 1,
   as musicians do. */
(() => {
  "use strict";
  const tvae = (globalThis.tvae ??= {});
  const { melody } = tvae, { BARS, FIRST_PITCH, LOWEST } = melody;

  const numbers = Array.from({ length: BARS }, (_, k) => k + 1);
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const count = (booleans) => booleans.filter(Boolean).length;
  const matrix = (rule) => numbers.map((_, i) => numbers.map((_, j) => rule(i, j)));

  /** (8, 16) booleans: where does a note begin? */
  const onsets = (tokens) => melody.bars(tokens).map((bar) => Array.from(bar, (token) => token >= FIRST_PITCH));

  /** Mean MIDI pitch of the notes that begin in the chosen bars, (8) booleans; NaN without any. */
  function mean_pitch(tokens, chosen) {
    const bars = melody.bars(tokens).filter((_, bar) => chosen[bar]);
    const pitches = bars.flatMap((bar) => [...bar].filter((token) => token >= FIRST_PITCH).map((token) => token - FIRST_PITCH + LOWEST));
    return share(sum(pitches), pitches.length);
  }

  /** (8, 8) in 0 ... 1: F1 of the notes of bar i and of bar j, or of their onsets; 0 for two empty ones. */
  function self_similarity(tokens, pitches = true) {
    const begins = onsets(tokens), x = pitches ? melody.bars(tokens) : begins;
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

  /** Two (8) booleans: the bars after the first of `bars` that are not among them, those of them that are new.

      New is what does not repeat one of `bars`. */
  function later_bars(tokens, bars) {
    const same = melody.equal_bars(tokens);
    const later = numbers.map((number) => number > bars[0] && !bars.includes(number));
    return [later, later.map((is_later, k) => is_later && !bars.some((bar) => same[k][bar - 1]))];
  }

  /** top / bottom, NaN where there is nothing to divide by. */
  const share = (top, bottom) => (bottom === 0 ? NaN : top / bottom);

  /** What the page shows beside a result; `again` is the host's reconstruction, `bars` are those swapped, in order, maybe none.

      structure, kept   equal bars {host, result, both} of all pairs of bars, of those with a swapped bar
      rhythm            F1 of the onsets of later new bars with the first swapped bar {donor, host}; before: of `again` with the donor's
      register          mean MIDI pitches: of later new bars {result, before}, of the first swapped bar {donor, host}; share: how much
                        of the way from host to donor they moved, null where that is no way

      The last two are null where nothing is left to measure: no swapped bar, no later new bar, no notes there. */
  function measures(host, again, donor, result, bars) {
    const [first] = bars, [, chosen] = later_bars(host, bars);
    const equal = (pairs) => {
      const [both, claimed, own] = structure(host, result, pairs);
      return { host: own, result: claimed, both };
    };
    const agreement = (tokens, whose) => share(...rhythm(tokens, onsets(whose)[first - 1], chosen));
    const level = (tokens) => mean_pitch(tokens, numbers.map((number) => number === first));
    const known = (found) => (Object.values(found).some(Number.isNaN) ? null : found);

    const agreed = known({ donor: agreement(result, donor), host: agreement(result, host), before: agreement(again, donor) });
    const pitches = known({ result: mean_pitch(result, chosen), before: mean_pitch(again, chosen), donor: level(donor), host: level(host) });
    const way = pitches && share(pitches.result - pitches.before, pitches.donor - pitches.host);
    return {
      structure: equal(pairs_with(numbers)),
      kept: equal(pairs_with(bars)),
      rhythm: agreed,
      register: pitches && { ...pitches, share: Number.isNaN(way) ? null : way },
    };
  }

  /** What `statistics` needs of one host: its tokens, its reconstruction `again`, and of two donors the tokens, the reconstructions and
      what came out, each a list of two. Of the names in Python those that decide claims C7 to C9. */
  function summands(host, again, donors, donors_again, results, bars) {
    const sums = {}, k = bars[0] - 1, both = [0, 1];
    const pairs = pairs_with(bars);
    for (const [others, whose] of [[results, ""], [[again, again], "_unswapped"], [donors_again, "_unrelated"]]) {
      const [found, claimed, own] = both.map((d) => structure(host, others[d], pairs)).reduce(add_up);
      Object.assign(sums, { [`found${whose}`]: found, [`claimed${whose}`]: claimed, [`true${whose}`]: own });
    }
    const [, later] = later_bars(host, bars), own = onsets(host)[k], heard = donors.map((donor) => onsets(donor)[k]);
    for (const [tokens, patterns, whose] of [
      [results, heard, "donor"], [results, [heard[1], heard[0]], "other_donor"],
      [[again, again], heard, "donor_unswapped"], [[again, again], [own, own], "host_unswapped"],
    ]) {
      const [agreed, total] = both.map((d) => rhythm(tokens[d], patterns[d], later)).reduce(add_up);
      Object.assign(sums, { [`agreed_${whose}`]: agreed, [`total_${whose}`]: total });
    }
    const first = numbers.map((number) => number === bars[0]), apart = ([one, other]) => one - other;
    const x = apart(donors.map((donor) => mean_pitch(donor, first)));
    for (const [kind, y] of [
      ["register", apart(results.map((result) => mean_pitch(result, later)))],
      ["songs", apart(both.map((d) => mean_pitch(donors_again[d], later_bars(donors[d], bars)[1])))],
    ]) {
      const known = Number.isFinite(x * y);
      Object.assign(sums, { [`${kind}_xy`]: known ? x * y : 0, [`${kind}_xx`]: known ? x * x : 0 });
    }
    return sums;
  }

  const add_up = (one, other) => one.map((value, k) => value + other[k]);

  /** The measures that decide claims C7 to C9, from `summands` summed over hosts: 0 is chance and 1 what songs do by themselves. */
  function statistics(s) {
    const [f1, unswapped, unrelated] = ["", "_unswapped", "_unrelated"].map((whose) =>
      share(2 * s[`found${whose}`], s[`claimed${whose}`] + s[`true${whose}`]));
    const agreement = (whose) => share(s[`agreed_${whose}`], s[`total_${whose}`]);
    const slope = (kind) => share(s[`${kind}_xy`], s[`${kind}_xx`]);
    return {
      structure_kept: share(f1 - unrelated, unswapped - unrelated),
      rhythm_follows: share(agreement("donor") - agreement("other_donor"), agreement("host_unswapped") - agreement("donor_unswapped")),
      register_follows: share(slope("register"), slope("songs")),
    };
  }

  tvae.transfers = {
    onsets, mean_pitch, self_similarity, pairs_with, structure, rhythm, later_bars, share, measures, summands, statistics,
  };
})();
