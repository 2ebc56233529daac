/* tvae.codes: what a bar costs by what it is to earlier bars: tvae/studies/codes.py (`matched`) and relations.py
   (`kinds`), name for name, for one piece at a time. */
(() => {
  "use strict";
  const tvae = globalThis.tvae;
  const {
    melody,
    melody: { BARS, STEPS, FIRST_PITCH },
  } = tvae;
  const bars_of = [...Array(BARS).keys()]; // from 0

  const KINDS = ["repeated", "transposed", "rhythm", "new"]; // what a bar is to the bars before it; the first that fits

  const note_counts = (tokens) => melody.bars(tokens).map((bar) => bar.filter((token) => token >= FIRST_PITCH).length);

  /** Of a piece of which `length` steps are music: bars that hold a note and no padding. */
  const counted = (tokens, length) => note_counts(tokens).map((notes, bar) => length >= STEPS * (bar + 1) && notes > 0);

  const equal = (one, other) => one.every((token, step) => token === other[step]);
  const same_rhythm = (one, other) =>
    one.every((token, step) => Math.min(token, FIRST_PITCH) === Math.min(other[step], FIRST_PITCH));

  /** Is one bar the other some semitones higher or lower? Of a single note nobody could tell. */
  function transposed(one, other) {
    if (!same_rhythm(one, other)) return false;
    const apart = [...one.keys()].filter((step) => one[step] >= FIRST_PITCH).map((step) => one[step] - other[step]);
    return apart.length > 1 && apart[0] !== 0 && apart.every((semitones) => semitones === apart[0]);
  }

  /** Of each bar a number, into `KINDS`. */
  function kinds(tokens) {
    const bars = melody.bars(tokens);
    return bars_of.map((i) => {
      const is = (relation) => bars.slice(0, i).some((earlier) => relation(bars[i], earlier));
      const found = [equal, transposed, same_rhythm].findIndex(is);
      return found < 0 ? KINDS.length - 1 : found;
    });
  }

  /** The bars of a piece that are repeated or new, with what `matched` needs: [[repeated?, position and number of
      notes, rate], ...] */
  function strata(tokens, length, rate) {
    const kind = kinds(tokens),
      notes = note_counts(tokens),
      counts = counted(tokens, length);
    const compared = bars_of.filter((bar) => counts[bar] && [0, KINDS.length - 1].includes(kind[bar]));
    return compared.map((bar) => [kind[bar] === 0, bar * (STEPS + 1) + notes[bar], rate[bar]]);
  }

  /** The share by which repeated bars are cheaper than the new ones that match them; of lists of `strata`, each with a
      weight. */
  function saving(pieces, weights) {
    const size = BARS * (STEPS + 1),
      [count, total, count_new, total_new] = [0, 1, 2, 3].map(() => new Float64Array(size));
    pieces.forEach((bars, k) => {
      for (const [repeated, stratum, rate] of weights[k] ? bars : []) {
        (repeated ? count : count_new)[stratum] += weights[k];
        (repeated ? total : total_new)[stratum] += weights[k] * rate;
      }
    });
    let own = 0,
      other = 0;
    for (let stratum = 0; stratum < size; stratum++) {
      if (!count_new[stratum] || !count[stratum]) continue;
      own += total[stratum];
      other += (count[stratum] * total_new[stratum]) / count_new[stratum];
    }
    return other ? 1 - own / other : NaN;
  }

  tvae.codes = { KINDS, note_counts, counted, kinds, strata, saving };
})();
